import type { GearmanMetadata, JobIdentity, JobPriority, JobStatus } from '../driver/index.js';

/** A job that a `FakeGearmanClient` recorded: what the code under test asked for, and what became of it. */
export interface FakeJob extends JobIdentity {
  /** The function, with the client's prefix. */
  readonly function: string;
  /** The data that was passed to `send`, `emit` or `submit`; of a record, its `data`. */
  readonly data: unknown;
  /** The bytes that a worker would have got, without metadata. */
  readonly workload: Uint8Array;
  /** Whether `emit` submitted it. */
  readonly isBackground: boolean;
  readonly priority: JobPriority;
  readonly unique?: string;
  /** The job does not run before this time; a record's `delay` becomes such a time too. */
  readonly at?: Date;
  /** The metadata beside the workload. */
  readonly metadata?: GearmanMetadata;
  readonly reducer?: string;
  /** `accepted`: it has not ended, and a background job never does; `refused`: see `FakeGearmanClient.refuse`. */
  state: 'accepted' | 'completed' | 'failed' | 'refused';
  /** The answer of `statusOf` and `statusByUnique`; a test may change it. Default: known and not running, until it ends. */
  status: Omit<JobStatus, 'server'>;
}

/** What an answer can tell about its job before the result, as a handler can with its context. */
export interface FakeJobReports {
  /** A part of the result, in the function's format. */
  data(value: unknown): void;
  warning(message: string): void;
  progress(numerator: number, denominator: number): void;
}

/**
 * Takes the place of a function's worker: it gets the data as a handler would,
 * and returns the result, or throws, as a handler would.
 */
export type FakeAnswer<In = never, Out = unknown> = (data: In, job: FakeJobReports) => Out | Promise<Out>;
