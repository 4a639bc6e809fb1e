import type { GearmanError } from '../ground/index.js';
import type { GearmanMetadata } from './metadata.js';

/** A job's priority: within a job server all high jobs go before normal ones, and these before low ones. */
export type JobPriority = 'high' | 'normal' | 'low';

/** A job as its submitter describes it. */
export interface JobRequest {
  /** The function's name: text, or UTF-8 bytes as text; not empty, without NUL. */
  function: string;
  /** What the worker gets. */
  workload: Uint8Array;
  /**
   * Jobs of one function with the same unique are one job: it runs once, and all
   * its clients get the result. `-`: the workload is the unique. At most 64 bytes.
   * Default: none, so every submission is a job of its own.
   */
  unique?: string;
  /** Default `normal`. */
  priority?: JobPriority;
  /** The job does not run before this time (SUBMIT_JOB_EPOCH; whole seconds, rounded up). Only for background jobs of normal priority. */
  at?: Date;
  /** The reducer (SUBMIT_REDUCE_JOB*); only with normal priority. */
  reducer?: string;
  /**
   * Metadata beside the workload: only workers of this package get it. See the
   * client's option `metadata`.
   */
  metadata?: GearmanMetadata | undefined;
  /**
   * Foreground: whether to submit the job again, to another job server, when its
   * job server is lost before the result came. It may then run twice. Default true.
   */
  resubmit?: boolean;
}

/**
 * How a job server calls a job. A handle is unique only within its job server,
 * so both belong together.
 */
export interface JobIdentity {
  readonly handle: string;
  /** The name of the job server's address. */
  readonly server: string;
}

/**
 * The submitter of a foreground job is told, in this order: `created`, any
 * number of `data`, `warning` and `status`, then one of `complete` and `fail`.
 * If its job server is lost, the next one's `created` is told again.
 *
 * Buffers share memory with other bytes that arrived: copy what is kept long.
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
  /** The job's handle and job server; undefined until a job server has accepted it. */
  readonly job: JobIdentity | undefined;
  /**
   * Stops listening: the observer is told nothing more. A job server that can do
   * so drops the job if nobody else waits for it (see the client's option
   * `withdraw`); with any other the job goes on.
   *
   * @param reason for the client's metrics: the caller waited too long.
   */
  forget(reason?: 'timeout'): void;
}

/** What a job server knows of a job. */
export interface JobStatus {
  /** False if the job has ended, or was never known. */
  isKnown: boolean;
  isRunning: boolean;
  /** The progress that the worker reported last; both are 0 if it reported none. */
  numerator: number;
  denominator: number;
  /** How many clients wait for it; only {@link JobClient.statusByUnique} tells. */
  clients?: number;
  /** The job server that answered. */
  server: string;
}

/**
 * What our job server tells about a background job by its handle. It tells
 * `complete` and `failed` as long as it keeps results (`keepResults`), and why a
 * job failed as long as its dead letter exists. After that the job is `unknown`,
 * like a job that never was.
 */
export interface KeptResult {
  state: 'waiting' | 'running' | 'complete' | 'failed' | 'unknown';
  /** The result of a complete job, or the reason why a failed one failed. */
  bytes?: Buffer;
}
