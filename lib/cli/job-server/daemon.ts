import { fork } from 'node:child_process';
import { EXIT, Failure } from '../failure.js';

/** What the process in the background tells the one that started it, once. */
type Report = { isReady: true; warnings: string[] } | { isReady: false; message: string; exitCode: number };

/** Set for the process in the background. */
const MARK = 'NESTJS_GEARMAN_DAEMON';

/** Tells whoever started this process in the background how the start went. */
export class Daemon {
  private constructor(private readonly send: (report: Report) => void) {}

  /** What this process is, if it was started by {@link startDaemon}. */
  static ofThisProcess(): Daemon | undefined {
    if (process.env[MARK] === undefined || !process.send) return undefined;
    // Not to be inherited.
    delete process.env[MARK];
    return new Daemon((report) => process.send!(report, () => process.disconnect()));
  }

  ready(warnings: string[]): void {
    this.send({ isReady: true, warnings });
  }

  failed(error: unknown): void {
    if (!process.connected) return;
    const { message, exitCode } = error instanceof Failure ? error : new Failure(String((error as Error).stack));
    this.send({ isReady: false, message, exitCode });
  }
}

/**
 * Starts this command again in the background, in a session of its own and
 * with nothing to read from or write to, and waits until it listens.
 *
 * @returns warnings of its start.
 * @throws Failure when it did not start, and why.
 */
export function startDaemon(script: string, args: readonly string[]): Promise<string[]> {
  const child = fork(script, args, {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: { ...process.env, [MARK]: '1' },
  });
  return new Promise((resolve, reject) => {
    child.once('message', (report: Report) => {
      child.unref();
      if (report.isReady) resolve(report.warnings);
      else reject(new Failure(report.message, report.exitCode));
    });
    child.once('error', (error) => reject(new Failure(`--daemon: ${error.message}`, EXIT.failed, { cause: error })));
    child.once('exit', (code, signal) => {
      reject(new Failure(`--daemon: the process in the background ended at its start (${signal ?? code})`));
    });
  });
}
