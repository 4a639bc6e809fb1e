import { isPromise } from 'node:util/types';
import type { AccessRequest } from './session-host.js';

/**
 * The `authorize` hook, with a promise as its answer refused: it would count as
 * yes, whatever comes of it. Whoever asks logs what the hook throws, and takes
 * that for a no.
 */
export function answeringAtOnce(authorize: (request: AccessRequest) => boolean): (request: AccessRequest) => boolean {
  return (request) => {
    const answer: unknown = authorize(request);
    if (!isPromise(answer)) return Boolean(answer);
    answer.catch(() => undefined);
    throw new Error('it must answer true or false at once, not by a promise');
  };
}
