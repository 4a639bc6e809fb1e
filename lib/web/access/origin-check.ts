import type { IncomingMessage } from 'node:http';
import { Problem } from '../problem.js';
import { bearerOf } from './access.js';

const NEAR_HOSTS = new Set(['localhost', '127.0.0.1', '[::1]']);

/**
 * Refuses requests that a page of another site makes a browser send. Such a page
 * cannot know a bearer token. Without one, the browser says where the request
 * comes from, by Sec-Fetch-Site, or by Origin if that is missing. A request with
 * neither comes from no browser.
 *
 * Reading is refused too: such a page cannot see the answer, but it can measure
 * how long a search takes, and use up the few places for event streams. A link to
 * here, and an address that a person typed, are allowed.
 *
 * @param isOpen nobody has to log in, so a bearer token proves nothing: an app
 *   may allow pages of other sites to send any.
 * @param hosts further names of this site, such as that of a proxy that passes its own Host on.
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

/** Whether the browser follows a link and shows the answer in a tab of its own. */
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
 * On a loopback port without login, refuses a Host with any other name
 * ({@link isOtherHost}).
 *
 * @param hosts further names that are allowed, such as that of a proxy.
 * @throws Problem
 */
export function refuseOtherHosts(request: IncomingMessage, hosts: readonly string[]): void {
  if (!isLoopback(request.socket.localAddress) || !isOtherHost(request, hosts)) return;
  throw new Problem(
    421,
    'unknown-host',
    `Only the hosts localhost, 127.0.0.1 and [::1] are answered here; name others by --web-host, or by the option hosts.`,
  );
}

/** Whether the Host is another name than a loopback port has: it may be that of a page whose name was made to point here (DNS rebinding). */
export function isOtherHost({ headers }: IncomingMessage, hosts: readonly string[] = []): boolean {
  const host = (headers.host ?? '').toLowerCase().replace(/:\d*$/, '');
  return !NEAR_HOSTS.has(host) && !hosts.includes(host);
}

export function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}
