import type { Outcome, Priority } from './job-spec.js';
import type { GearmanFunction, Job, Peer } from './model.js';

/** What the engine says to the job server around it. */
export interface EngineListener {
  /** The earliest due time is now `at` (milliseconds since 1970): call `tick` then. */
  due(at: number): void;
  /** A job was accepted. */
  submitted?(job: Job): void;
  /** A worker was given a job. */
  assigned?(job: Job, worker: Peer): void;
  /** A job lost its worker, or ran out of its time, and waits again. */
  requeued?(job: Job): void;
  /** A job is over, before its clients are told. */
  ended?(job: Job, outcome: Outcome): void;
  /** The queue in memory runs low and storage has more: feed it. */
  want?(function_: GearmanFunction, priority: Priority): void;
  /** A worker registered its first function, or lost its last one. */
  workerChanged?(worker: Peer): void;
}
