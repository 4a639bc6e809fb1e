import { Log2Histogram } from '../../telemetry/metrics/index.js';
import type { JobSpec } from './job-spec.js';

/**
 * What the jobs of a function have done since the job server began: plain
 * numbers, counted where it happens and read by whoever wants to.
 *
 *   submissions + restored + replayed
 *     = completed + failed + buried + cancelled + abandoned + those there are now
 */
export class FunctionStats {
  /** Jobs accepted, by where they came from; submissions that joined a job are `coalesced` instead. */
  foreground = 0;
  background = 0;
  fromSchedule = 0;
  fromHttp = 0;
  coalesced = 0;
  /** Found in storage at the start. */
  restored = 0;
  /** Dead letters that were let wait again. */
  replayed = 0;
  /** Assignments. */
  started = 0;
  /** Lost by a worker, or out of time, and waiting again. */
  requeued = 0;
  /** Let run again by a policy. */
  retried = 0;
  /** Attempts that came to nothing, by why. */
  reportedFailures = 0;
  exceptions = 0;
  timeouts = 0;
  lostWorkers = 0;
  completed = 0;
  failed = 0;
  /** Failed for good, and kept as a dead letter. */
  buried = 0;
  cancelled = 0;
  abandoned = 0;
  /** From ready to assigned, in milliseconds, each attempt. */
  readonly wait = new Log2Histogram();
  /** From assigned to the attempt's end, in milliseconds. */
  readonly run = new Log2Histogram();

  /** Counts a job that was accepted. */
  accepted({ madeBy, isBackground }: Pick<JobSpec, 'madeBy' | 'isBackground'>): void {
    if (madeBy !== undefined) {
      if (madeBy === 'http') this.fromHttp++;
      else this.fromSchedule++;
    } else if (isBackground) this.background++;
    else this.foreground++;
  }

  /** How many jobs were accepted, wherever they came from. */
  get submitted(): number {
    return this.foreground + this.background + this.fromSchedule + this.fromHttp;
  }

  /** Adds what another function's jobs have done. Written out: there may be 100,000 functions to add up. */
  addAll(other: FunctionStats): void {
    this.foreground += other.foreground;
    this.background += other.background;
    this.fromSchedule += other.fromSchedule;
    this.fromHttp += other.fromHttp;
    this.coalesced += other.coalesced;
    this.restored += other.restored;
    this.replayed += other.replayed;
    this.started += other.started;
    this.requeued += other.requeued;
    this.retried += other.retried;
    this.reportedFailures += other.reportedFailures;
    this.exceptions += other.exceptions;
    this.timeouts += other.timeouts;
    this.lostWorkers += other.lostWorkers;
    this.completed += other.completed;
    this.failed += other.failed;
    this.buried += other.buried;
    this.cancelled += other.cancelled;
    this.abandoned += other.abandoned;
    this.wait.addAll(other.wait);
    this.run.addAll(other.run);
  }
}
