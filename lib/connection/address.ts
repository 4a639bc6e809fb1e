import { isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { checkNames, InvalidOptionError, shown } from '../ground/index.js';
import { checkTls, type TlsOptions } from './tls-options.js';

/**
 * Where a job server is.
 *
 * - `'host'`, `'host:4730'`, `'[::1]:4730'`: TCP, port 4730 when not said;
 * - `'tls://host:4730'`: TLS, and never plain text; `'tcp://host:4730'`: plain, whatever the `tls` option says;
 * - `'unix:/run/gearman.sock'`: a unix socket;
 * - an object with the same in parts;
 * - an object with `connect(): Duplex`, such as an embedded `JobServer`: no socket at all.
 */
export type ServerAddress = string | SocketAddress | StreamAddress;

/** A {@link ServerAddress} in parts. */
export interface SocketAddress {
  /** Host name or IP address. Default `127.0.0.1`. */
  host?: string;
  /** TCP port. Default 4730. */
  port?: number;
  /** Path of a unix socket, instead of host and port. */
  path?: string;
  /** `true`: TLS with Node's defaults; an object: TLS with these options; `false`: plain text. Default: `tls` of the client or worker. */
  tls?: boolean | TlsOptions;
  /** The name in logs, errors and job identities. Default: `host:port`, or `unix:path`. */
  name?: string;
}

/** Anything that can open a stream to a job server; an embedded `JobServer` is one. */
export interface StreamAddress {
  /** A new stream to the job server. May throw. */
  connect(): Duplex;
  /** The name in logs, errors and job identities. Default `embedded`. */
  name?: string;
}

/** A {@link ServerAddress} after it was parsed and checked: everything {@link dial} needs. */
export type Endpoint =
  | {
      readonly kind: 'tcp';
      readonly name: string;
      readonly host: string;
      readonly port: number;
      readonly tls?: TlsOptions;
    }
  | { readonly kind: 'unix'; readonly name: string; readonly path: string }
  | { readonly kind: 'stream'; readonly name: string; readonly connect: () => Duplex };

/** The port that IANA gave to Gearman. */
export const DEFAULT_PORT = 4730;

/**
 * Parses one address, a list of addresses, or a text with several between commas.
 *
 * @param tls for TCP addresses that do not say it themselves.
 * @throws InvalidOptionError naming the address and what is wrong with it.
 */
export function parseServers(
  servers: ServerAddress | readonly ServerAddress[] = `127.0.0.1:${DEFAULT_PORT}`,
  tls: boolean | TlsOptions = false,
): Endpoint[] {
  checkTls(tls);
  const given = Array.isArray(servers) ? (servers as readonly ServerAddress[]) : [servers as ServerAddress];
  const list = given.flatMap<ServerAddress>((address) =>
    typeof address === 'string' ? address.split(',').map((part) => part.trim()) : [address],
  );
  if (list.length === 0)
    throw new InvalidOptionError('servers', 'must name a job server; leave the option out for 127.0.0.1:4730');
  const endpoints = list.map((address) => parseAddress(address, tls));
  const names = new Set<string>();
  for (const { name } of endpoints) {
    if (names.has(name))
      throw new InvalidOptionError('servers', `must not name ${name} twice; give one of them another \`name\``);
    names.add(name);
  }
  return endpoints;
}

/** Parses one address. @throws InvalidOptionError naming it and what is wrong with it. */
export function parseAddress(address: ServerAddress, tls: boolean | TlsOptions = false): Endpoint {
  if (typeof address === 'string') return parseText(address, tls);
  if (typeof address !== 'object' || address === null) {
    throw new InvalidOptionError('servers', `an address must be a text or an object, not ${shown(address)}`);
  }
  if ('connect' in address) {
    if (typeof address.connect !== 'function') {
      throw new InvalidOptionError('servers', '`connect` of an address must be a function that returns a Duplex');
    }
    return { kind: 'stream', name: address.name ?? 'embedded', connect: () => address.connect() };
  }
  return parseParts(address, tls);
}

const PARTS: Record<keyof SocketAddress, true> = { host: true, port: true, path: true, tls: true, name: true };

function parseParts(address: SocketAddress, tls: boolean | TlsOptions): Endpoint {
  checkNames(address, Object.keys(PARTS), 'part of an address', 'servers.');
  const { host, port, path, tls: own, name } = address;
  checkTls(own);
  if (path !== undefined) {
    if (host !== undefined || port !== undefined) {
      throw new InvalidOptionError('servers', `${path}: an address must have a path, or host and port, not both`);
    }
    if (own)
      throw new InvalidOptionError('servers', `${path}: \`tls\` must be left out, because a unix socket has no TLS`);
    return unixEndpoint(path, name);
  }
  return tcpEndpoint(host ?? '127.0.0.1', port ?? DEFAULT_PORT, own ?? tls, name);
}

function parseText(text: string, tls: boolean | TlsOptions): Endpoint {
  const [, scheme, rest] = /^(?:(tcp|tls):\/\/|(?=.))(.*)$/s.exec(text) ?? [];
  if (scheme === undefined && text.startsWith('unix:')) return unixEndpoint(text.slice('unix:'.length));
  const secure = scheme === 'tcp' ? false : scheme === 'tls' ? tls || true : tls;
  if (rest && isIPv6(rest)) return tcpEndpoint(rest, DEFAULT_PORT, secure);
  const match = /^(?:\[([^\]]*)\]|([^:[\]/\s]+))(?::(\d+))?$/.exec(rest ?? '');
  if (!match) throw new InvalidOptionError('servers', `${shown(text)} is not an address; ${FORMS}`);
  const [, bracketed, bare, port] = match;
  if (bracketed !== undefined && !isIPv6(bracketed)) {
    throw new InvalidOptionError('servers', `${shown(text)}: only an IPv6 address may stand in brackets; ${FORMS}`);
  }
  return tcpEndpoint(bracketed ?? bare!, port === undefined ? DEFAULT_PORT : Number(port), secure);
}

const FORMS = "write 'host', 'host:4730', '[::1]:4730', 'tls://host:4730' or 'unix:/path'";

function tcpEndpoint(host: string, port: number, tls: boolean | TlsOptions, name?: string): Endpoint {
  if (typeof host !== 'string' || host === '') throw new InvalidOptionError('servers', 'a host must not be empty');
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    throw new InvalidOptionError(
      'servers',
      `${host}: a port must be a whole number from 1 to 65535, not ${shown(port)}`,
    );
  }
  name ??= `${isIPv6(host) ? `[${host}]` : host}:${port}`;
  if (!tls) return { kind: 'tcp', name, host, port };
  return { kind: 'tcp', name, host, port, tls: tls === true ? {} : tls };
}

function unixEndpoint(path: string, name = `unix:${path}`): Endpoint {
  if (path === '') throw new InvalidOptionError('servers', 'a unix socket must have a path: unix:/run/gearman.sock');
  return { kind: 'unix', name, path };
}
