import { spawn } from 'node:child_process';
import { PATIENCE } from './patience.js';
import { startProgram } from './program.js';

/** The outcome of a program. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Where a program runs, and how long it may take to end. */
export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** After how many milliseconds it is killed. Default {@link PATIENCE}. */
  readonly patience?: number;
}

/** Runs a program to its end, with bytes on its stdin; returns the bytes of its stdout. */
export function pipeThrough(
  command: string,
  args: readonly string[],
  stdin: string | Buffer = '',
  { cwd, env, patience = PATIENCE }: ProcessOptions = {},
): Promise<Ended> {
  const child = spawn(command, args, { cwd, env, timeout: patience, killSignal: 'SIGKILL' });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // The program may end before it has read its input; its exit code tells why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }));
  });
}

/** Starts a program that runs until the test file is over, or until the returned function is called. */
export function runInBackground(command: string, args: readonly string[]): () => Promise<void> {
  const program = startProgram(command, args);
  return async () => void (await program.end('SIGKILL'));
}
