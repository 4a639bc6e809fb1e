import type { TlsOptions } from '../connection/index.js';
import type { AdminClient, JobClient, SocketAddress } from '../driver/index.js';
import type { JobSpec, Workload } from '../job-server/engine/index.js';
import type { JobServerCore } from '../job-server/core.js';
import type { JobServer } from '../job-server/job-server.js';
import type { Live } from './live/live.js';

/** A job server that is told of and worked on: one of this process, or one elsewhere. */
export type WebSource =
  | {
      /** What `?server=` calls it. */
      name: string;
      /** As `GearmanJobServer` is one. */
      jobServer: JobServer;
    }
  | {
      /** What `?server=` calls it. */
      name: string;
      /**
       * Where it is: any Gearman job server, asked in Gearman's own protocol.
       * What it cannot tell is null, or 501.
       */
      server: string | SocketAddress;
      /** TLS where the address does not say itself. Default false. */
      tls?: boolean | TlsOptions;
      /** How long to wait for a connection, in milliseconds. Default 5_000. */
      connectTimeout?: number;
    };

/** What is heard while a job runs. What throws ends the waiting. */
export interface RunListener {
  created?(handle: string): void;
  data?(bytes: Buffer): void;
  warning?(bytes: Buffer): void;
  status?(numerator: number, denominator: number): void;
}

/** Where jobs go. What cannot be done is thrown as a Problem. */
export interface Submitter {
  /** Submits in the background; `coalesced`: whether it joined a job that was there, null where that is not told. */
  accept(spec: JobSpec): Promise<{ handle: string; coalesced: boolean | null }>;
  /**
   * Runs a job in the foreground, until `gone` aborts.
   *
   * @param timeout in seconds; 0: none.
   */
  run(
    spec: JobSpec,
    timeout: number,
    listener: RunListener,
    gone: AbortSignal,
  ): Promise<{ handle: string; bytes: Workload }>;
}

/** What every source has. */
interface BaseSource {
  readonly name: string;
  readonly live: Live;
  readonly submitter: Submitter;
}

/** A job server of this process, with everything at hand. */
export interface ReadySource extends BaseSource {
  readonly jobServer: JobServerCore;
}

/** A job server elsewhere. */
export interface RemoteSource extends BaseSource {
  readonly admin: AdminClient;
  readonly client: JobClient;
}

export type AnySource = ReadySource | RemoteSource;
