import type { GearmanMetadata, JobIdentity, JobPriority, JobStatus } from '../driver/index.js';

/** A job as a `FakeGearmanClient` recorded it: what the code under test asked for, and what has become of it. */
export interface FakeJob extends JobIdentity {
  /** The function, with the client's prefix. */
  readonly function: string;
  /** What was passed to `send`, `emit` or `submit`; a record's data, where it was a record. */
  readonly data: unknown;
  /** The bytes a worker would have got, without metadata. */
  readonly workload: Uint8Array;
  /** Whether it came by `emit`. */
  readonly isBackground: boolean;
  readonly priority: JobPriority;
  readonly unique?: string;
  /** Not before this time; a record's `delay` is such a time too. */
  readonly at?: Date;
  /** What travelled beside the workload. */
  readonly metadata?: GearmanMetadata;
  readonly reducer?: string;
  /** `accepted`: it has not ended, as a background job never does; `refused`: see `FakeGearmanClient.refuse`. */
  state: 'accepted' | 'completed' | 'failed' | 'refused';
  /** What `statusOf` and `statusByUnique` answer; change it at will. Default: known and not running, until it ends. */
  status: Omit<JobStatus, 'server'>;
}

/** What an answer can tell of its job before the result, as a handler by its context. */
export interface FakeJobReports {
  /** A part of the result, in the function's format. */
  data(value: unknown): void;
  warning(message: string): void;
  progress(numerator: number, denominator: number): void;
}

/**
 * Stands in for a function's worker: takes the data as a handler would get it
 * and returns the result, or throws as a handler would.
 */
export type FakeAnswer<In = never, Out = unknown> = (data: In, job: FakeJobReports) => Out | Promise<Out>;
