import type { FunctionSettings } from './function-settings.js';
import type { ByteString, Outcome, Priority, Workload } from './job-spec.js';
import type { GearmanFunction, Job, Peer } from './model.js';

/** How a run ended after which the job runs again. */
export type FailedRun = 'failed' | 'lostWorkers' | 'timeouts';

/** What the engine says to the job server around it, which may call the engine in return at once. */
export interface EngineListener {
  /** Something is due earlier than said before: call `tick` at this time of the clock that nobody sets, with the date. */
  due(at: number): void;
  /** Something large was begun and goes on in a later turn: call `work` then, and again until it answers that nothing is left. */
  later?(): void;
  /** A job was accepted. */
  submitted?(job: Job): void;
  /** A worker was given a job. */
  assigned?(job: Job, worker: Peer): void;
  /** The worker of a running job reported something; the progress itself stands in the job. */
  reported?(job: Job, what: 'data' | 'warning' | 'progress', bytes: Workload): void;
  /**
   * A run of a job was in vain, and it is to run again; told while it still runs.
   *
   * @param why what its worker said of it, or what became of its worker.
   */
  triedInVain?(job: Job, cause: FailedRun, why: Workload): void;
  /** A job lost its worker, or ran out of its time, and waits again. */
  requeued?(job: Job): void;
  /**
   * A stored job failed, or lost its worker: after how many milliseconds it is
   * to run again, `again` when a lost one waits again however
   * often it was lost, `exhausted` when it is to fail for good, or undefined for
   * gearmand's way: a failed job is over, a lost one waits again up to `jobRetries`.
   */
  retryAfter?(job: Job, cause: 'failed' | 'lost'): number | 'again' | 'exhausted' | undefined;
  /** A job that is to run again after so many milliseconds has left the engine: storage has it alone. */
  parked?(job: Job, delay: number): void;
  /** Whether a job that failed for good is kept as a dead letter. */
  isBuried?(job: Job): boolean;
  /**
   * A job is over, before its clients are told.
   *
   * @param result its result, or why it failed.
   * @param worker who ran it until now.
   */
  ended?(job: Job, outcome: Outcome, result: Workload, worker: Peer | undefined): void;
  /** The queue in memory runs low and storage has more: feed it. */
  want?(function_: GearmanFunction, priority: Priority): void;
  /**
   * For how long the oldest job of a function and priority could have been taken
   * that waits in storage alone, in milliseconds; undefined where nobody knows.
   */
  oldestStored?(function_: GearmanFunction, priority: Priority): number | undefined;
  /** An operator set something for a function. */
  functionSet?(name: ByteString, settings: FunctionSettings): void;
  /**
   * Nobody is given jobs of a function any more: its last worker left, or it, or
   * everything, was held up. Told again where jobs came back to it since.
   */
  idle?(function_: GearmanFunction): void;
  /** A worker registered its first function, or lost its last one. */
  workerChanged?(worker: Peer): void;
}
