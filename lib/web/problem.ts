import { STATUS_CODES } from 'node:http';
import { oneLine, type Log, type LogFields } from '../ground/index.js';
import type { Refusal } from '../job-server/engine/index.js';

/** A request that is not done, and why: answered as RFC 9457's `application/problem+json`. */
export class Problem extends Error {
  override readonly name = 'Problem';

  constructor(
    /** The HTTP status. */
    readonly status: number,
    /** What programs tell it by, as `queue-full`. */
    readonly code: string,
    /** What a person reads; says the cure. */
    detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
    /** Further members of the body. */
    private readonly more: Readonly<Record<string, unknown>> = {},
  ) {
    // Names stand in it as they were asked for.
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

/** What the engine refuses, as HTTP says it. */
export function problemOfRefusal({ code, text }: Refusal): Problem {
  if (code === 'SHUTTING_DOWN') return new Problem(503, 'shutting-down', text, { 'Retry-After': '5' });
  if (code === 'QUEUE_ERROR' && text === 'Job queue is full') {
    return new Problem(429, 'queue-full', text, { 'Retry-After': '1' });
  }
  if (code === 'PACKET_TOO_LARGE') return new Problem(413, 'body-too-large', text);
  if (code === 'QUEUE_ERROR') return new Problem(503, 'queue-error', text, { 'Retry-After': '5' });
  return new Problem(400, code.toLowerCase().replaceAll('_', '-'), text);
}

/** A part of the request that is not valid. */
export function invalid(name: string, allowed: string): Problem {
  return new Problem(400, 'invalid-request', `${name}: must be ${allowed}`);
}

/** There are as many of something as there may be. */
export function tooMany(limit: number, what: string): Problem {
  const detail = `${limit} ${what} are open already; ask again when one has ended.`;
  return new Problem(503, 'too-many', detail, { 'Retry-After': '5' });
}

/** What went wrong, as it is answered; what nobody foresaw is logged, with what it is about. @param place the route. */
export function problemOf(error: unknown, log: Log, about: LogFields, place = ''): Problem {
  if (error instanceof Problem) return error;
  log('error', `web: ${place && `${place}: `}${String((error as Error).stack ?? error)}`, about);
  return new Problem(500, 'internal', 'The job server failed; its log says why.');
}

/** There is nothing of that name, or the caller may not know of it. */
export function notFound(what: string): Problem {
  return new Problem(404, 'not-found', `There is no ${what}.`);
}
