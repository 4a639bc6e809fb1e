import type { BackoffOptions, ServerAddress, TlsOptions } from '../connection/index.js';

/** What a client and a worker have in common: how they reach their job servers. */
export interface DriverOptions {
  /** The job servers: one address or several. Text may list several, separated by commas. Default `127.0.0.1:4730`. */
  servers?: ServerAddress | readonly ServerAddress[];
  /** TLS for every TCP address that does not say itself. Default false. */
  tls?: boolean | TlsOptions;
  /** How long to wait for a job server, in milliseconds: for one connection, and while none is connected. Default 5_000. */
  connectTimeout?: number;
  /** The waits between attempts to reach a job server that is away. */
  reconnect?: BackoffOptions;
  /** How often each job server is asked for an ECHO, in milliseconds; 0 switches it off. Default 10_000. */
  heartbeatInterval?: number;
  /**
   * How long a job server may be silent after it was asked, in milliseconds;
   * then its connection counts as lost. A dead machine is noticed within
   * heartbeatInterval + heartbeatTimeout. Default 10_000.
   */
  heartbeatTimeout?: number;
  /** The largest packet accepted or sent, in bytes. Default 64 MiB. */
  maxPacketBytes?: number;
  /** How much may wait for a job server that reads slowly, in bytes: a client's submissions then queue, a worker's connection is given up. Default 64 MiB. */
  maxSendBufferBytes?: number;
  /** The name that `gearadmin --workers` shows. Default: none. */
  clientId?: string;
}

/** Events of a client and a worker; `server` is the address' name. */
export interface DriverEvents {
  /** A job server is connected and has answered. */
  connect: [server: string];
  /** A connection that stood is lost. */
  disconnect: [server: string, reason: Error | undefined];
  /** An attempt failed; the next is made in `delay` milliseconds. */
  reconnecting: [server: string, reason: Error, delay: number];
  /** Something went wrong that no call can report, such as an observer that threw. Without a listener it becomes a warning of the process. */
  error: [error: Error, server: string];
}
