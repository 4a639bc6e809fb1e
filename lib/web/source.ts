import type { TlsOptions } from '../connection/index.js';
import type { AdminClient, JobClient, SocketAddress } from '../driver/index.js';
import type { JobSpec, Workload } from '../job-server/engine/index.js';
import type { JobServerCore } from '../job-server/core.js';
import type { JobServer } from '../job-server/job-server.js';
import type { Live } from './live/live.js';

/** A job server that the API shows and works on: one of this process, or one elsewhere. */
export type WebSource =
  | {
      /** Its name in `?server=`. */
      name: string;
      /** A job server of this process, such as a `GearmanJobServer`. */
      jobServer: JobServer;
    }
  | {
      /** Its name in `?server=`. */
      name: string;
      /**
       * The address of any Gearman job server, which is asked in Gearman's own
       * protocol. Values that it cannot tell are null; other questions are 501.
       */
      server: string | SocketAddress;
      /** TLS for an address that does not say it itself. Default false. */
      tls?: boolean | TlsOptions;
      /** How long to wait for a connection, in milliseconds. Default 5_000. */
      connectTimeout?: number;
    };

/** Is told what happens while a job runs. If it throws, the wait ends. */
export interface RunListener {
  created?(handle: string): void;
  data?(bytes: Buffer): void;
  warning?(bytes: Buffer): void;
  status?(numerator: number, denominator: number): void;
}

/** Where jobs are submitted. Failures are thrown as a Problem. */
export interface Submitter {
  /** Submits in the background; `coalesced`: whether it joined an existing job, null if that is not known. */
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

/** A job server of this process, of which everything is accessible. */
export interface ReadySource extends BaseSource {
  readonly jobServer: JobServerCore;
}

/** A job server elsewhere. */
export interface RemoteSource extends BaseSource {
  readonly admin: AdminClient;
  readonly client: JobClient;
}

export type AnySource = ReadySource | RemoteSource;
