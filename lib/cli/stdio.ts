import type { Writable } from 'node:stream';

/** How long messages on stderr may take to be read at the end, in milliseconds. */
const STDERR_PATIENCE = 250;

/**
 * Ends the process once its output was taken: what is on stdout is waited for,
 * as by any command in a pipe; what is on stderr only for a moment, since a
 * service manager may never read it.
 */
export async function exit(code: number): Promise<never> {
  await drained(process.stdout);
  await Promise.race([drained(process.stderr), new Promise((resolve) => setTimeout(resolve, STDERR_PATIENCE))]);
  process.exit(code);
}

function drained(stream: Writable): Promise<void> {
  if (stream.writableLength === 0) return Promise.resolve();
  return new Promise((resolve) => stream.write('', () => resolve()));
}
