import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Failure } from '../failure.js';

/** How many file descriptors are kept for files, listeners and Node itself. */
export const RESERVED_DESCRIPTORS = 32;

/** With fewer descriptors hardly anybody could connect. */
const LEAST_DESCRIPTORS = 2 * RESERVED_DESCRIPTORS;

/**
 * Makes sure that so many file descriptors may be open. Node raises its own
 * limit as far as the system allows; more needs root, and `prlimit` of util-linux.
 *
 * @throws Failure if so many are not possible.
 */
export function allowFileDescriptors(count: number): void {
  if (count < LEAST_DESCRIPTORS) {
    throw new Failure(
      `--file-descriptors ${count}: too few, files and listeners alone need ${RESERVED_DESCRIPTORS}; ` +
        `give ${LEAST_DESCRIPTORS} or more, or leave it out`,
    );
  }
  const limit = hardLimit();
  if (limit === undefined || count <= limit) return;
  try {
    execFileSync('prlimit', ['--pid', String(process.pid), `--nofile=${count}:${count}`], { stdio: 'ignore' });
  } catch (error) {
    throw new Failure(
      `--file-descriptors ${count}: no more than ${limit} are allowed to this process; ` +
        'give a smaller number, start as root, or raise the limit (LimitNOFILE= of systemd, ulimit -n)',
      undefined,
      { cause: error },
    );
  }
}

/** How many descriptors the system allows this process; undefined if it does not tell. */
function hardLimit(): number | undefined {
  try {
    const [, hard] = /^Max open files\s+\S+\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
    return hard === undefined || hard === 'unlimited' ? undefined : Number(hard);
  } catch {
    return undefined;
  }
}
