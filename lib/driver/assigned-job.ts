import type { GearmanMetadata } from './metadata.js';

/** A job a worker runs. */
export interface AssignedJob {
  readonly function: string;
  readonly handle: string;
  /** Empty when the submitter gave none, or the job server does not tell. */
  readonly unique: string;
  /** It shares memory with what arrived beside it: make a copy of what you keep for long. */
  readonly workload: Buffer;
  /** What came beside the workload; undefined where nothing did. */
  readonly metadata?: GearmanMetadata | undefined;
  /** Only with the worker's option `reducers`. */
  readonly reducer?: string;
  /**
   * Which attempt at the job this is, 1 for the first: what its job server has
   * counted of lost workers and of retries. Undefined where it does not tell,
   * as only ours does.
   */
  readonly attempt?: number | undefined;
  /** The name of the job server's address it came from. */
  readonly server: string;
  /**
   * Aborts when there is no use in going on: its time is over (reason
   * `TimeoutError`), its job server is lost (`ConnectionLostError`), the
   * worker's grace period is over (`ClosedError`), or nobody waits for its
   * result any more (`JobAbandonedError`, told by a job server of ours). In the
   * last case the job goes on, if its handler wants: who throws stops it, and
   * should anybody have come to wait for it meanwhile, it runs again for them.
   */
  readonly signal: AbortSignal;
  /**
   * Sends a part of the result (WORK_DATA). Parts wait in memory for a job
   * server that reads slowly, and past `maxSendBufferBytes` the connection is
   * given up: await {@link drained} between large ones.
   */
  data(bytes: Uint8Array | string): void;
  /** Sends a warning (WORK_WARNING). */
  warning(bytes: Uint8Array | string): void;
  /** Reports progress (WORK_STATUS): `numerator` of `denominator`. */
  status(numerator: number, denominator: number): void;
  /** Resolves when what was sent so far has left, also when the connection is lost. */
  drained(): Promise<void>;
}

/**
 * Runs a job: what it resolves to is the result (WORK_COMPLETE), nothing is an
 * empty one. When it throws the job fails: a {@link WorkException}'s bytes go
 * out as WORK_EXCEPTION; of anything else a job server of ours is told the
 * message that way, any other WORK_FAIL, and it is told by the worker's event
 * `error`.
 */
export type JobHandler = (job: AssignedJob) => JobResult | Promise<JobResult>;

/** What a handler may return; text goes out as UTF-8. */
export type JobResult = Uint8Array | string | void;

/** How a worker serves one function. */
export interface FunctionOptions {
  /**
   * How long a job may run, in milliseconds. Then its signal aborts and it
   * fails; its slot stays taken until the handler has ended. Default: for ever.
   */
  timeout?: number;
  /** How many jobs of this function run at once, apart from the worker's own `concurrency`. Default: shares that. */
  concurrency?: number;
}
