import { spawn } from 'node:child_process';
import { atEnd } from './cleanup.js';

/** How long a program may take to end by itself. */
const PATIENCE = 15_000;

/** What a program left behind. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Runs a program to its end: bytes into its stdin, bytes out of its stdout. */
export function pipeThrough(command: string, args: readonly string[], stdin: string | Buffer = ''): Promise<Ended> {
  const child = spawn(command, args, { timeout: PATIENCE, killSignal: 'SIGKILL' });
  const stdout: Buffer[] = [];
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  // A program may end before it has read its input; its exit code tells why.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout: Buffer.concat(stdout), stderr }));
  });
}

/** Starts a program that runs until the test file is over, or until what is returned is called. */
export function runInBackground(command: string, args: readonly string[]): () => Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const over = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await over;
  };
  atEnd(stop);
  return stop;
}
