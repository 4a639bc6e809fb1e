import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { atEnd } from './cleanup.js';
import { startDaemon, type Daemon } from './daemon.js';
import { freePort } from './free-port.js';

/** The built command; `npm test` builds it first. */
export const COMMAND = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** The outcome of a command. */
export interface Outcome {
  /** Its exit code; null if a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts `nestjs-gearman` with arguments; it is ended at the latest when the test file is over. */
export function spawnCommand(args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  if (!existsSync(COMMAND)) throw new Error('the command is not built: npm run build');
  const child = spawn(process.execPath, [COMMAND, ...args], { env: { ...process.env, ...env } });
  atEnd(() => void child.kill('SIGKILL'));
  return child;
}

/** Runs `nestjs-gearman` to its end. `input` is its stdin. */
export function runCommand(
  args: readonly string[],
  { input = '', env }: { input?: string | Buffer; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const child = spawnCommand(args, env);
  child.stdin!.on('error', () => undefined).end(input);
  return outcomeOf(child);
}

/** The outcome of a command, when it has ended. */
export function outcomeOf(child: ChildProcess): Promise<Outcome> {
  const outcome = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]!.setEncoding('utf8').on('data', (text: string) => (outcome[name] += text));
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...outcome }));
  });
}

/** Starts `nestjs-gearman job-server` on a free loopback port. */
export async function startJobServerCommand(args: readonly string[] = [], port?: number): Promise<Daemon> {
  port ??= await freePort();
  return startDaemon(process.execPath, [COMMAND, 'job-server', '-p', `${port}`, '-L', '127.0.0.1', ...args], port);
}
