import type { GearmanError } from '../ground/index.js';
import type { GearmanMetadata } from './metadata.js';

/** A job's priority: within a job server all high jobs go before normal ones, and these before low ones. */
export type JobPriority = 'high' | 'normal' | 'low';

/** A job as its submitter describes it. */
export interface JobRequest {
  /** The function, text or its UTF-8 bytes; not empty, without NUL. */
  function: string;
  /** What the worker gets. */
  workload: Uint8Array;
  /**
   * Jobs of one function with the same unique are one job, run once, and all
   * its clients hear it. `-`: the workload is the unique. At most 64 bytes.
   * Default: none, every submission is a job of its own.
   */
  unique?: string;
  /** Default `normal`. */
  priority?: JobPriority;
  /** Run it not before this time (SUBMIT_JOB_EPOCH; whole seconds, rounded up). Background jobs of normal priority only. */
  at?: Date;
  /** The reducer (SUBMIT_REDUCE_JOB*); normal priority only. */
  reducer?: string;
  /**
   * What travels beside the workload: to workers of this package, and to no
   * other. See the client's option `metadata`.
   */
  metadata?: GearmanMetadata | undefined;
  /**
   * Foreground: whether to submit the job again, elsewhere, when its job
   * server is lost before the result came. It may then run twice. Default true.
   */
  resubmit?: boolean;
}

/**
 * A job, as a job server calls it. Handles are only unique within their job
 * server, so both belong together.
 */
export interface JobIdentity {
  readonly handle: string;
  /** The name of the job server's address. */
  readonly server: string;
}

/**
 * What the submitter of a foreground job hears, in this order: `created`, any
 * number of `data`, `warning` and `status`, then one of `complete` and `fail`.
 * After its job server was lost, `created` is told again by the next.
 *
 * Buffers share memory with what arrived beside them: copy what is kept long.
 */
export interface JobObserver {
  created?(job: JobIdentity): void;
  data?(bytes: Buffer): void;
  warning?(bytes: Buffer): void;
  status?(numerator: number, denominator: number): void;
  complete(result: Buffer): void;
  fail(error: GearmanError): void;
}

/** A job that was submitted in the foreground. */
export interface Submission {
  /** Where the job is; undefined until a job server has accepted it. */
  readonly job: JobIdentity | undefined;
  /**
   * Stops listening: the observer hears nothing more. The job is taken back
   * where the job server can do that (see the client's option `withdraw`);
   * elsewhere it goes on.
   *
   * @param reason why, for the client's metrics: it took too long.
   */
  forget(reason?: 'timeout'): void;
}

/** What a job server knows of a job. */
export interface JobStatus {
  /** False: ended, or never heard of. */
  isKnown: boolean;
  isRunning: boolean;
  /** What the worker reported last; both 0 when nothing was. */
  numerator: number;
  denominator: number;
  /** Clients that wait for it; only {@link JobClient.statusByUnique} knows. */
  clients?: number;
  /** The job server that answered. */
  server: string;
}

/**
 * What a job server of ours tells of a background job by its handle.
 * `complete` and `failed` are told as long as results are kept (`keepResults`),
 * and why a dead letter failed as long as it is there; after that it is
 * `unknown`, as a job never heard of.
 */
export interface KeptResult {
  state: 'waiting' | 'running' | 'complete' | 'failed' | 'unknown';
  /** The result of a complete job, why a failed one failed. */
  bytes?: Buffer;
}
