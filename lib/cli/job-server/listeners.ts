import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import type { ListenerOptions } from '../../job-server/index.js';
import { Failure, UsageFailure } from '../failure.js';
import { tlsSettings } from './tls-settings.js';
import type { JobServerValues } from './options.js';

const DEFAULT_PORT = 4730;

/**
 * The addresses to listen on: each one on the port, plain or with TLS, and on
 * the TLS port and the admin port if those were asked for.
 *
 * @throws UsageFailure for options that contradict each other, Failure for an unknown host name.
 */
export async function listenersFrom(
  values: JobServerValues,
  port: number = DEFAULT_PORT,
  env: NodeJS.ProcessEnv,
): Promise<ListenerOptions[]> {
  const { backlog, ssl, 'ssl-port': sslPort, 'admin-port': adminPort } = values;
  const tls = tlsSettings(values, env);
  if (adminPort !== undefined && values.admin) throw new UsageFailure('--admin and --admin-port: choose one of them');
  const admin = adminPort === undefined ? (values.admin ?? 'allowed') : 'refused';
  const common = { admin, ...(backlog !== undefined && { backlog }) };
  const [paths] = split(values.listen);

  const addresses = await hostsFrom(values.listen);
  const listeners: ListenerOptions[] = paths.map((path) => ({ path, ...common }));
  for (const host of addresses) {
    listeners.push({ host, port, ...common, ...(ssl && { tls }) });
    if (sslPort !== undefined) listeners.push({ host, port: sslPort, ...common, tls });
  }
  if (adminPort !== undefined) listeners.push({ host: '127.0.0.1', port: adminPort, admin: 'only' });
  return listeners;
}

/** The addresses that `--listen` names; without it all of this machine; none if it names only sockets. */
export async function hostsFrom(listen: readonly string[]): Promise<string[]> {
  const [paths, hosts] = split(listen);
  return paths.length > 0 && hosts.length === 0 ? [] : addressesOf(hosts);
}

function split(listen: readonly string[]): [paths: string[], hosts: string[]] {
  const isPath = (address: string): boolean => address.startsWith('unix:');
  const paths = listen.filter(isPath).map((address) => address.slice('unix:'.length));
  if (paths.includes('')) throw new UsageFailure('--listen unix: needs a path behind it: unix:/run/gearman.sock');
  return [paths, listen.filter((address) => !isPath(address))];
}

/** The addresses of host names (`localhost` has two); without host names all of this machine. */
async function addressesOf(hosts: readonly string[]): Promise<string[]> {
  if (hosts.length === 0) return [hasIPv6() ? '::' : '0.0.0.0'];
  const found = new Set((await Promise.all(hosts.map(resolve))).flat());
  // `::` includes all IPv4 addresses, and the system refuses to listen on both.
  if (found.has('::')) found.delete('0.0.0.0');
  return [...found];
}

async function resolve(host: string): Promise<string[]> {
  try {
    return (await lookup(host.replace(/^\[(.*)\]$/, '$1'), { all: true })).map(({ address }) => address);
  } catch (error) {
    throw new Failure(`--listen ${host}: no such host name; give an address, as 127.0.0.1`, undefined, {
      cause: error,
    });
  }
}

function hasIPv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'));
}
