import type { BackoffOptions, ServerAddress, TlsOptions } from '../connection/index.js';

/** The options that a client and a worker share: how they reach their job servers. */
export interface DriverOptions {
  /** The job servers: one address or several. Text may list several, separated by commas. Default `127.0.0.1:4730`. */
  servers?: ServerAddress | readonly ServerAddress[];
  /** TLS for every TCP address that does not say it itself. Default false. */
  tls?: boolean | TlsOptions;
  /** How long to wait for a job server, in milliseconds: for one connection, and while none is connected. Default 5_000. */
  connectTimeout?: number;
  /** The waits between attempts to reach a job server that is away. */
  reconnect?: BackoffOptions;
  /** How often to send each job server an ECHO_REQ, in milliseconds; 0 switches it off. Default 10_000. */
  heartbeatInterval?: number;
  /**
   * How long a job server may stay silent after an ECHO_REQ, in milliseconds;
   * then its connection counts as lost. So a dead machine is noticed within
   * heartbeatInterval + heartbeatTimeout. Default 10_000.
   */
  heartbeatTimeout?: number;
  /** The largest packet accepted or sent, in bytes. Default 64 MiB. */
  maxPacketBytes?: number;
  /** How much may wait for a job server that reads slowly, in bytes. Beyond that a client's submissions wait in the client; a worker's connection is ended. Default 64 MiB. */
  maxSendBufferBytes?: number;
  /** The name that `gearadmin --workers` shows. Default: none. */
  clientId?: string;
}

/** The name of every {@link DriverOptions}; the compiler keeps it complete. */
export const DRIVER_OPTIONS: Record<keyof DriverOptions, true> = {
  servers: true,
  tls: true,
  connectTimeout: true,
  reconnect: true,
  heartbeatInterval: true,
  heartbeatTimeout: true,
  maxPacketBytes: true,
  maxSendBufferBytes: true,
  clientId: true,
};

/** Events of a client and a worker; `server` is the address' name. */
export interface DriverEvents {
  /** A job server is connected and has answered. */
  connect: [server: string];
  /** An established connection was lost. */
  disconnect: [server: string, reason: Error | undefined];
  /** An attempt failed; the next is made in `delay` milliseconds. */
  reconnecting: [server: string, reason: Error, delay: number];
  /** Something went wrong that belongs to no call, such as an observer that threw. Without a listener it becomes a warning of the process. */
  error: [error: Error, server: string];
}
