import type { Writable } from 'node:stream';

/** How long the process waits at its end until stderr was read, in milliseconds. */
const STDERR_PATIENCE = 250;

/**
 * Ends the process when its output was read. It waits for stdout as long as it
 * takes, like any command in a pipe; for stderr only a moment, because a service
 * manager may never read it.
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
