import { fork } from 'node:child_process';
import { EXIT, Failure } from '../failure.js';

/** The one message that the process in the background sends to the process that started it. */
type Report = { isReady: true; warnings: string[] } | { isReady: false; message: string; exitCode: number };

/** The variable that marks the process in the background. */
const MARK = 'NESTJS_GEARMAN_DAEMON';

/** The process in the background, which tells the process that started it how its start went. */
export class Daemon {
  private constructor(private readonly send: (report: Report) => void) {}

  /** The daemon that this process is; undefined if {@link startDaemon} did not start it. */
  static ofThisProcess(): Daemon | undefined {
    if (process.env[MARK] === undefined || !process.send) return undefined;
    // Child processes must not inherit it.
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
 * without standard input and output, and waits until it listens.
 *
 * @returns the warnings of its start.
 * @throws Failure with the reason if it did not start.
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
