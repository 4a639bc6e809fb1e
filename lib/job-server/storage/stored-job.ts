import type { JobRecord } from '../engine/index.js';

export type { JobRecord } from '../engine/index.js';

/**
 * What a storage keeps. Every `string` in this file is a byte string: one
 * character a byte (U+0000 to U+00FF), so names are kept as they came.
 */

/** A job's priority: 0 high, 1 normal, 2 low. */
export type StoredPriority = 0 | 1 | 2;

/** A background job as a storage hands it back. */
export interface StoredJob extends JobRecord {
  /** Its place among the jobs of its function and priority: a lower one was accepted earlier. */
  readonly sequence: number;
}

/** Counters that change while a job is leased; what is left out stays. */
export interface JobCounters {
  readonly attempts?: number;
  readonly losses?: number;
}

/** What may change when a job is given back; what is left out stays. */
export interface JobChanges extends JobCounters {
  /** Not before this time, in milliseconds since 1970; 0 for at once. */
  readonly at?: number;
}

/** A job that is out of attempts, kept until it is replayed or purged. */
export interface DeadLetter {
  readonly job: StoredJob;
  /** The last failure, as text for people. */
  readonly error: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly diedAt: number;
}

/** What changes in a dead letter that waits again; what is left out stays, or is not known. */
export interface Replay {
  /** It counts as accepted then, in milliseconds since 1970; without it nobody knows when. */
  readonly acceptedAt?: number;
  readonly reducer?: string;
}

/** What makes a dead letter of a job. */
export type Death = Pick<DeadLetter, 'error' | 'diedAt'>;

/**
 * What came of a job that is added once: it was added; it is known, by its origin
 * or its handle; or another job has its function and unique, and stands for both.
 */
export type OnceOutcome = 'added' | 'known' | 'coalesced';

/** What became of a job before it was added from elsewhere. */
export type Past = Death | JobOutcome;

/** How an ended job is remembered for a while (`keepResults`). */
export interface JobOutcome {
  readonly state: 'complete' | 'failed';
  readonly result: string | Uint8Array;
  /** When it may be forgotten, in milliseconds since 1970. */
  readonly keepUntil: number;
}

/** Another owner of a shared storage, which has leased a job. */
export interface Holder {
  /** What it is called, for people. */
  readonly name: string;
  /** Where its job server is reached, `host:port`; `''` when it did not say. */
  readonly address: string;
}

/** A job that has not ended. */
export interface QueuedJob {
  readonly state: 'waiting' | 'leased';
  readonly job: StoredJob;
  /** Who has leased it, where that is another owner than the one that asks. */
  readonly holder?: Holder;
}

/**
 * What came of taking a job out: it is gone; there is none; or another owner
 * has leased it and is told to cancel it.
 */
export type Removal = 'removed' | 'unknown' | 'told';

/** What a storage knows of a handle. */
export type FoundJob =
  | QueuedJob
  | { readonly state: 'dead'; readonly letter: DeadLetter }
  | { readonly state: 'ended'; readonly function: string; readonly outcome: JobOutcome };

/** How many jobs of one function a storage has, leased ones included, by priority: `[high, normal, low]`. */
export interface FunctionCounts {
  readonly function: string;
  /** All jobs. */
  readonly total: readonly [high: number, normal: number, low: number];
  /** Those of them that nobody has leased, whether their time has come or not. */
  readonly waiting: readonly [high: number, normal: number, low: number];
  /** Those of the waiting ones that were given a time (`at`). */
  readonly scheduled: readonly [high: number, normal: number, low: number];
}

/** A function and a priority: what jobs are leased by. */
export interface QueueName {
  readonly function: string;
  readonly priority: StoredPriority;
}

const NONE = [0, 0, 0] as const;

/** The counts of a function without jobs. */
export function noJobs(functionName: string): FunctionCounts {
  return { function: functionName, total: NONE, waiting: NONE, scheduled: NONE };
}

/** What one queue, of a function and priority, has: all jobs, those that wait, those of them with a time. */
export interface QueueCounts {
  readonly counts: readonly [total: number, waiting: number, scheduled: number];
}

/** The counts of a function, of its queues by priority. */
export function countsOf(
  functionName: string,
  [high, normal, low]: readonly [QueueCounts | undefined, QueueCounts | undefined, QueueCounts | undefined],
): FunctionCounts {
  const [h, n, l] = [high?.counts ?? NONE, normal?.counts ?? NONE, low?.counts ?? NONE];
  return {
    function: functionName,
    total: [h[0], n[0], l[0]],
    waiting: [h[1], n[1], l[1]],
    scheduled: [h[2], n[2], l[2]],
  };
}

/** A job with changes applied. */
export function changedJob(job: StoredJob, { attempts, losses, at }: JobChanges): StoredJob {
  return { ...job, attempts: attempts ?? job.attempts, losses: losses ?? job.losses, at: at ?? job.at };
}

/** A job with its place; written out, as a spread costs several times as much. */
export function placed(job: JobRecord, sequence: number): StoredJob {
  const { handle, unique, priority, workload, reducer, at, attempts, losses, acceptedAt } = job;
  return {
    handle,
    function: job.function,
    unique,
    priority,
    workload,
    reducer,
    at,
    attempts,
    losses,
    acceptedAt,
    sequence,
  };
}

/** Since when a worker could have taken a job, in milliseconds since 1970; undefined where nobody knows. */
export function readySince({ at, acceptedAt }: Pick<JobRecord, 'at' | 'acceptedAt'>): number | undefined {
  if (acceptedAt === undefined) return at > 0 ? at : undefined;
  return Math.max(at, acceptedAt);
}

/** The earlier one of two times that may not be known. */
export function earlier(one: number | undefined, other: number | undefined): number | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return Math.min(one, other);
}
