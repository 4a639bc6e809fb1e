import type { IncomingMessage } from 'node:http';
import { invalid } from '../problem.js';

/** What a request asks for. */
export interface RequestTarget {
  /** The decoded segments of the path below the handler's mount, the first of which is empty; no segments if it is not below. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** The paths below the mount that the handler serves; they decide which of two segments with the mount's name is meant. */
const OURS = /^\/(?:v1(?:\/.*)?|metrics|app-[^/]*)?$|^$/;

/**
 * Reads the target of a request.
 *
 * @param mount where the handler is mounted, without slashes around it; empty: at the root.
 * @throws Problem if the target is no UTF-8.
 */
export function targetOf(request: IncomingMessage, mount: string): RequestTarget {
  // Not `url`, which Fastify's middleware and Express' mounted handlers shorten.
  const whole = (request as IncomingMessage & { originalUrl?: string }).originalUrl ?? request.url ?? '/';
  // A request to a proxy names the host as well.
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

/** Refuses bytes that are no UTF-8: URLSearchParams makes U+FFFD of each, and two uniques would become equal. */
function refuseOtherBytes(query: string): void {
  for (const [bytes] of query.matchAll(/(?:%[\da-f]{2})+/gi)) {
    try {
      decodeURIComponent(bytes);
    } catch {
      throw invalid('the query', 'percent-encoded UTF-8');
    }
  }
}

/** The path below the mount. What stands before the mount does not matter, even if it has the same name; and a function may have that name too. */
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
