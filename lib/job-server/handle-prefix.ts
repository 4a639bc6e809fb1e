import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { toByteString } from '../protocol/index.js';
import { MAX_HANDLE_PREFIX_BYTES, RUN_DIGITS } from './engine/index.js';

/**
 * What every handle of this run begins with: `H:` and the host's name, as far
 * as it fits, or a text in their place; and a number that no other run has.
 *
 * That number is drawn, and not the time of the start: job servers of one host
 * start in the same second, and a clock may be set back between two starts.
 */
export function handlePrefix(prefix = `H:${hostname()}`): string {
  const run = randomInt(10 ** (RUN_DIGITS - 1), 10 ** RUN_DIGITS);
  return `${toByteString(prefix).slice(0, MAX_HANDLE_PREFIX_BYTES)}:${run}`;
}
