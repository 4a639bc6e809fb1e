import type { Duplex } from 'node:stream';
import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';

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
  /** `true`: TLS with Node's defaults; an object: TLS with these options; `false`: plain text. Default: the client's or worker's `tls`. */
  tls?: boolean | TlsOptions;
  /** How logs, errors and job identities call it. Default: `host:port`, or `unix:path`. */
  name?: string;
}

/** Anything that hands out streams to a job server; an embedded `JobServer` is one. */
export interface StreamAddress {
  /** A new stream to the job server. May throw. */
  connect(): Duplex;
  /** How logs, errors and job identities call it. Default `embedded`. */
  name?: string;
}

/** What Node's `tls.connect` takes: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized` (default true) and the like. */
export type TlsOptions = Omit<TlsConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'timeout'>;
