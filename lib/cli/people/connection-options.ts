import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { notAllowed } from '../../ground/index.js';
import type { TlsOptions } from '../../connection/index.js';
import type { AdminClientOptions } from '../../driver/index.js';
import { Failure, UsageFailure } from '../failure.js';
import { listed, toggle, valued, type OptionValues } from '../options/option.js';
import { duration, text, whole } from '../options/values.js';

const ADDRESSES = {
  server: listed(
    'A job server, as host, host:port or unix:/path; several times for several. Default: 127.0.0.1:4730.',
    text,
    {
      short: 's',
      argument: 'ADDRESS',
    },
  ),
} as const;

const HOW = {
  'connect-timeout': valued('How long to wait for a job server. Default: 5s.', duration, { argument: 'TIME' }),
  tls: toggle('Speak TLS, and never fall back to plain text.'),
  'tls-ca': valued('Certificate authorities that sign the job servers, PEM.', text, { argument: 'FILE' }),
  'tls-certificate': valued('The certificate to show, PEM.', text, { argument: 'FILE' }),
  'tls-key': valued('Its private key, PEM.', text, { argument: 'FILE' }),
} as const;

/** The options of commands that talk to job servers and have a `--port` of their own. */
export const SERVER_OPTIONS = { ...ADDRESSES, ...HOW } as const;

/** The options of all other commands that talk to job servers. */
export const CONNECTION_OPTIONS = {
  ...ADDRESSES,
  host: valued('The host of one job server, as gearman and gearadmin have it.', text, { short: 'h', argument: 'HOST' }),
  port: valued('The port of that job server. Default: 4730.', whole(1, 65_535), { short: 'p', argument: 'PORT' }),
  ...HOW,
} as const;

type ConnectionValues = OptionValues<typeof CONNECTION_OPTIONS>;

/** The values given for {@link CONNECTION_OPTIONS}, in the driver's form. */
export interface ConnectionSettings {
  servers: string[];
  connectTimeout?: number;
  tls: boolean | TlsOptions;
}

/** @throws Failure for a file that cannot be read, UsageFailure if job servers are named in two ways. */
export function connectionSettings(values: ConnectionValues): ConnectionSettings {
  return {
    servers: serversFrom(values),
    tls: tlsSettings(values),
    ...(values['connect-timeout'] !== undefined && { connectTimeout: values['connect-timeout'] }),
  };
}

function serversFrom({ server, host, port }: ConnectionValues): string[] {
  if (host === undefined && port === undefined) return server.length > 0 ? server : ['127.0.0.1:4730'];
  if (server.length > 0) {
    throw new UsageFailure('--server and -h HOST -p PORT: choose one; --server HOST:PORT may be given several times');
  }
  return [`${addressOf(host ?? '127.0.0.1')}:${port ?? 4730}`];
}

/** A host in an address; an IPv6 address stands in brackets. */
function addressOf(host: string): string {
  if (isIPv6(host)) return `[${host}]`;
  if (!/[:,/\s]/.test(host) || /^\[.*\]$/.test(host)) return host;
  throw new UsageFailure(`-h: ${notAllowed(host, 'a host alone')}: -h HOST -p PORT, or --server ADDRESS`);
}

/** The options of an AdminClient for one of the job servers. */
export function adminSettings(
  server: string,
  { tls, connectTimeout }: Omit<ConnectionSettings, 'servers'>,
): AdminClientOptions {
  return { server, tls, ...(connectTimeout !== undefined && { connectTimeout }) };
}

function tlsSettings(values: ConnectionValues): boolean | TlsOptions {
  const { 'tls-ca': ca, 'tls-certificate': certificate, 'tls-key': key } = values;
  if (ca === undefined && certificate === undefined && key === undefined) return values.tls;
  return {
    ...(ca !== undefined && { ca: read(ca, '--tls-ca') }),
    ...(certificate !== undefined && { cert: read(certificate, '--tls-certificate') }),
    ...(key !== undefined && { key: read(key, '--tls-key') }),
  };
}

function read(file: string, option: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Failure(`${option}: ${(error as Error).message}`, undefined, { cause: error });
  }
}
