import { STATUS_CODES } from 'node:http';
import { oneLine, type Log, type LogFields } from '../ground/index.js';
import type { Refusal } from '../job-server/engine/index.js';

/** Why a request is refused: answered as RFC 9457's `application/problem+json`. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** The code for programs, such as `queue-full`. */
    readonly code: string,
    /** The text for people; it says the cure. */
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    /** Further members of the body. */
    private readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    // One line, because it may contain names that callers sent.
    super(oneLine(detail));
  }

  /** The answer's body. */
  toJSON(): object {
    return {
      type: 'about:blank',
      title: STATUS_CODES[this.status] ?? 'Error',
      status: this.status,
      detail: this.message,
      code: this.code,
      ...this.more,
    };
  }
}

/** The problem for a refusal of the engine. */
export function problemOfRefusal({ code, text }: Refusal): Problem {
  if (code === 'SHUTTING_DOWN') return new Problem(503, 'shutting-down', text, { 'Retry-After': '5' });
  if (code === 'QUEUE_ERROR' && text === 'Job queue is full') {
    return new Problem(429, 'queue-full', text, { 'Retry-After': '1' });
  }
  if (code === 'PACKET_TOO_LARGE') return new Problem(413, 'body-too-large', text);
  if (code === 'QUEUE_ERROR') return new Problem(503, 'queue-error', text, { 'Retry-After': '5' });
  return new Problem(400, code.toLowerCase().replaceAll('_', '-'), text);
}

/** The problem for a part of the request that is not valid. */
export function invalid(name: string, allowed: string): Problem {
  return new Problem(400, 'invalid-request', `${name}: must be ${allowed}`);
}

/** The problem if there are already as many of something as allowed. */
export function tooMany(limit: number, what: string): Problem {
  const detail = `${limit} ${what} are open already; ask again when one has ended.`;
  return new Problem(503, 'too-many', detail, { 'Retry-After': '5' });
}

/** The problem for any error; an unexpected one is logged, with what it is about. @param place the route. */
export function problemOf(error: unknown, log: Log, about: LogFields, place = ''): Problem {
  if (error instanceof Problem) return error;
  log('error', `web: ${place && `${place}: `}${String((error as Error).stack ?? error)}`, about);
  return new Problem(500, 'internal', 'The job server failed; its log says why.');
}

/** The problem if nothing has that name, or the caller may not know of it. */
export function notFound(what: string): Problem {
  return new Problem(404, 'not-found', `There is no ${what}.`);
}
