import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem.js';
import { bearerOf } from './access.js';

const NEAR_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Refuses what a page of another site makes a browser send: a bearer token no
 * page of another site has; otherwise the browser says where the request comes
 * from, by Sec-Fetch-Site, or by Origin where that is missing. What says
 * neither is no browser.
 *
 * Reading is refused too: such a page cannot see the answer, but how long a
 * search takes tells what it finds, and event streams have few places. A link
 * to here, and an address that a person typed, are no such page.
 *
 * @param isOpen nobody is asked for a token, so one says nothing: an app that
 *   allows other sites some headers would let each of them send any.
 * @param hosts further names of this site, as a proxy's that hands its own Host on.
 * @throws Problem
 */
export function refuseOtherSites(request: IncomingMessage, isOpen: boolean, hosts: readonly string[]): void {
  const { headers } = request;
  if (!isOpen && bearerOf(request) !== undefined) return;
  const site = headers['sec-fetch-site'];
  const isSame = site === undefined ? isOwnOrigin(headers, hosts) : site === 'same-origin';
  if (isSame || (isReading(request) && (site === 'none' || isFollowedLink(headers)))) return;
  const cure = isOpen ? '' : '; send a bearer token to do it';
  throw new Problem(403, 'cross-site', `A page of another site may not do this${cure}.`);
}

function isReading({ method }: IncomingMessage): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** Its answer is shown in a tab of its own. */
function isFollowedLink(headers: IncomingMessage['headers']): boolean {
  return headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document';
}

function isOwnOrigin({ origin, host }: IncomingMessage['headers'], hosts: readonly string[]): boolean {
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin);
  return from.host === host?.toLowerCase() || hosts.includes(from.hostname);
}

/**
 * On a loopback port that asks for no login, refuses a Host that is another
 * name: a page whose own name was made to point here (DNS rebinding).
 *
 * @param hosts further names that are meant, as a proxy's.
 * @throws Problem
 */
export function refuseOtherHosts({ headers, socket }: IncomingMessage, hosts: readonly string[]): void {
  if (!isLoopback(socket.localAddress)) return;
  const host = (headers.host ?? '').toLowerCase().replace(/:\d*$/, '');
  if (NEAR_HOSTS.has(host) || hosts.includes(host)) return;
  throw new Problem(
    421,
    'unknown-host',
    `Only the hosts localhost, 127.0.0.1 and [::1] are answered here; name others by --web-host, or by the option hosts.`,
  );
}

function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}
