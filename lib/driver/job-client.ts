import { EventEmitter } from 'node:events';
import type { DriverEvents, DriverOptions } from './driver-options.js';
import type { JobIdentity, JobObserver, JobRequest, JobStatus, Submission } from './job-request.js';

/** How a client chooses among several job servers that are connected. */
export type ServerChoice = 'failover' | 'round-robin' | 'hash';

/** Options of a {@link JobClient}. */
export interface JobClientOptions extends DriverOptions {
  /**
   * `failover`: the first of `servers` that is connected. `round-robin`: one
   * after the other. `hash`: by function and unique, so that coalescing works
   * over a fleet, and when a job server dies only its share moves; jobs
   * without a unique go round. Default `failover`.
   */
  choose?: ServerChoice;
  /** How many submissions may await their JOB_CREATED; more wait inside the client. Default 1_000. */
  maxPendingSubmissions?: number;
}

/** Submits jobs to one or several job servers. */
export class JobClient extends EventEmitter<DriverEvents> {
  constructor(readonly options: JobClientOptions = {}) {
    super();
  }

  /**
   * Connects to every job server; resolves when the first has answered. May be
   * called again at any time. Not needed: whatever is submitted connects.
   *
   * @throws NoServerError after `connectTimeout`; the attempts go on until {@link close}.
   */
  async connect(): Promise<void> {}

  /** Submits a foreground job; everything that happens is told to `observer`. Throws only for an invalid request. */
  submit(_request: JobRequest, _observer: JobObserver): Submission {
    throw new Error('under construction');
  }

  /** Submits a background job; resolves at its JOB_CREATED. */
  submitBackground(_request: JobRequest): Promise<JobIdentity> {
    throw new Error('under construction');
  }

  /** Asks a job's own job server about it. */
  status(_job: JobIdentity): Promise<JobStatus> {
    throw new Error('under construction');
  }

  /** Asks every connected job server for a job with this unique; the one that knows it answers. */
  statusByUnique(_unique: string): Promise<JobStatus> {
    throw new Error('under construction');
  }

  /** Has a job server send `data` back: the first that is connected, or the one named. */
  echo(_data: Uint8Array | string, _server?: string): Promise<Buffer> {
    throw new Error('under construction');
  }

  /** Names of the job servers that are connected now. */
  get connectedServers(): string[] {
    throw new Error('under construction');
  }

  /** Fails what is pending with a ClosedError and disconnects. */
  async close(): Promise<void> {}
}
