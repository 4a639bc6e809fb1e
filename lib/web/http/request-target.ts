import type { IncomingMessage } from 'node:http';
import { invalid } from '../problem.js';

/** What a request asks for. */
export interface RequestTarget {
  /** The decoded segments of the path below where the handler is mounted, the first of which is empty; none: it is not below. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** What the handler answers below its path: which of two places with its name is meant. */
const OURS = /^\/(?:v1(?:\/.*)?|metrics|app-[^/]*)?$|^$/;

/**
 * Reads where a request goes.
 *
 * @param mount where the handler is, without slashes around it; empty: at the root.
 * @throws Problem when it is no UTF-8.
 */
export function targetOf(request: IncomingMessage, mount: string): RequestTarget {
  // Not `url`: Fastify's middleware and Express' mounted handlers have a shortened one.
  const whole = (request as IncomingMessage & { originalUrl?: string }).originalUrl ?? request.url ?? '/';
  // What proxies are sent names the host as well.
  const [encoded = '', ...search] = whole.replace(/^https?:\/\/[^/?]*/i, '').split('?');
  const query = search.join('?');
  refuseOtherBytes(query);
  const below = belowMount(encoded, mount);
  return { path: below === undefined ? [] : below.split('/').map(decoded), query: new URLSearchParams(query) };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw invalid('the path', 'percent-encoded UTF-8; other names go into function64');
  }
}

/** URLSearchParams takes any byte for U+FFFD: two uniques would be one. */
function refuseOtherBytes(query: string): void {
  for (const [bytes] of query.matchAll(/(?:%[\da-f]{2})+/gi)) {
    try {
      decodeURIComponent(bytes);
    } catch {
      throw invalid('the query', 'percent-encoded UTF-8');
    }
  }
}

/** What stands before the mount does not matter, even if it has the same name, and so may a function. */
function belowMount(path: string, mount: string): string | undefined {
  if (mount === '') return path;
  let first: string | undefined;
  const sign = `/${mount}/`;
  for (let at = `${path}/`.indexOf(sign); at >= 0; at = `${path}/`.indexOf(sign, at + 1)) {
    const rest = path.slice(at + sign.length - 1);
    if (OURS.test(rest)) return rest;
    first ??= rest;
  }
  return first;
}
