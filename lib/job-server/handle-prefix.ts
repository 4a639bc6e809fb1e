import { randomInt } from 'node:crypto';
import { hostname } from 'node:os';
import { toByteString } from '../protocol/index.js';

/**
 * What every handle of this run begins with: the time of its start and a
 * random part beside the host's name, so that handles never repeat across
 * restarts or between two job servers on a host.
 */
export function handlePrefix(prefix = `H:${hostname().slice(0, 30)}`): string {
  const run =
    Date.now().toString(36) +
    randomInt(36 ** 3)
      .toString(36)
      .padStart(3, '0');
  return `${toByteString(prefix)}:${run}:`;
}
