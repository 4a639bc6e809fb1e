import type { GearmanMetadata } from './metadata.js';

/** A job a worker runs. */
export interface AssignedJob {
  readonly function: string;
  readonly handle: string;
  /** Empty when the submitter gave none, or when the job server does not tell it. */
  readonly unique: string;
  /** It shares memory with other bytes that arrived: make a copy of what you keep for long. */
  readonly workload: Buffer;
  /** The metadata beside the workload; undefined if there is none. */
  readonly metadata?: GearmanMetadata | undefined;
  /** Only with the worker's option `reducers`. */
  readonly reducer?: string;
  /**
   * Which attempt at the job this is, 1 for the first; lost workers and retries
   * count. Only our job server tells it; undefined from any other.
   */
  readonly attempt?: number | undefined;
  /** The name of the job server that it came from: of its address. */
  readonly server: string;
  /**
   * Aborts when there is no use in going on: its time is over (reason
   * `TimeoutError`), its job server is lost (`ConnectionLostError`), the
   * worker's grace period is over (`ClosedError`), or nobody waits for its
   * result any more (`JobAbandonedError`, told only by our job server). In the
   * last case the handler decides: it may go on, or stop by throwing. If somebody
   * has begun to wait for the job in the meantime, it then runs again for them.
   */
  readonly signal: AbortSignal;
  /**
   * Sends a part of the result (WORK_DATA). Parts for a job server that reads
   * slowly wait in memory; more than `maxSendBufferBytes` of them end the
   * connection. So await {@link drained} between large ones.
   */
  data(bytes: Uint8Array | string): void;
  /** Sends a warning (WORK_WARNING). */
  warning(bytes: Uint8Array | string): void;
  /** Reports progress (WORK_STATUS): `numerator` of `denominator`. */
  status(numerator: number, denominator: number): void;
  /** Resolves when everything sent so far has left, or when the connection is lost. */
  drained(): Promise<void>;
}

/**
 * Runs a job. What it returns is the result (WORK_COMPLETE); returning nothing
 * gives an empty result. When it throws, the job fails. A {@link WorkException}'s
 * bytes are sent as WORK_EXCEPTION. For anything else thrown, our job server
 * gets the message as WORK_EXCEPTION and any other job server WORK_FAIL, and the
 * worker emits `error`.
 */
export type JobHandler = (job: AssignedJob) => JobResult | Promise<JobResult>;

/** What a handler may return; a text is sent as UTF-8. */
export type JobResult = Uint8Array | string | void;

/** How a worker serves one function. */
export interface FunctionOptions {
  /**
   * How long a job may run, in milliseconds. Then its signal aborts and the job
   * fails; its slot stays in use until the handler has ended. Default: no limit.
   */
  timeout?: number;
  /** How many jobs of this function run at once, in addition to the worker's own `concurrency`. Default: they share that one. */
  concurrency?: number;
}
