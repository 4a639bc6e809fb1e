import type { JobSpec, Timer } from '../engine/index.js';
import { fromByteString } from '../../protocol/index.js';
import type { LogFields } from '../../ground/index.js';
import type { Schedule, ScheduleOptions } from './schedule.js';
import { writtenSchedule } from './schedule-rules.js';
import { jitterOf, tickUnique } from './ticks.js';

/** Where a schedule comes from. `put`: from an admin client, and it stays until it is dropped. */
export type ScheduleSource = 'options' | 'decorator' | 'crontab' | 'put';

/** What became of ticks. */
export type TickOutcome = 'fired' | 'skipped' | 'missed' | 'failed';

/** A schedule as an operator sees it. */
export interface ScheduleSnapshot {
  readonly id: string;
  readonly source: ScheduleSource;
  /** The last tick that fired or was passed over, or when it began; milliseconds since 1970. */
  readonly lastTick: number;
  /** The next tick; undefined: none, it is paused or over. */
  readonly nextTick: number | undefined;
  readonly isPaused: boolean;
  /** What is wrong; undefined: nothing. */
  readonly problem: string | undefined;
  /** As it was written, with the defaults filled in. */
  readonly options: ScheduleOptions;
}

/** A schedule at work. */
export class RecurringJob {
  /** The next tick, in milliseconds since 1970; Infinity: none will come, or it is not known yet. */
  next = Infinity;
  /** When it is looked at next. */
  timer: Timer | undefined;
  /** All ticks up to this one are done. */
  last = -Infinity;
  /** The job that was fired last. */
  handle: string | undefined;
  /** Its ticks are being fired, or its next tick is being found out. */
  isBusy = false;
  /** It was dropped, or another one has its id. */
  isGone = false;
  /** Why the last tick could not fire. */
  trouble: string | undefined;
  /** How many ticks in a row were skipped. */
  skipped = 0;
  readonly counts: Record<TickOutcome, number> = { fired: 0, skipped: 0, missed: 0, failed: 0 };

  constructor(
    readonly source: ScheduleSource,
    readonly schedule: Schedule,
    public isPaused: boolean,
    /** The text by which it is kept, if it was put. */
    readonly keptAs?: string,
  ) {}

  get id(): string {
    return this.schedule.id;
  }

  count(outcome: TickOutcome, count = 1): void {
    this.counts[outcome] += count;
    if (outcome === 'skipped') this.skipped += count;
    else if (outcome === 'fired') this.skipped = 0;
  }

  /** The job of a tick. */
  spec(tick: number): JobSpec {
    const { schedule } = this;
    const later = jitterOf(schedule, tick);
    return {
      function: schedule.function,
      unique: tickUnique(schedule.id, tick),
      workload: schedule.workload,
      priority: schedule.priority,
      isBackground: true,
      madeBy: 'schedule',
      at: later === 0 ? 0 : tick + later,
    };
  }

  /** What a log line about it is about. */
  get logFields(): LogFields {
    return { schedule: fromByteString(this.id), function: fromByteString(this.schedule.function) };
  }

  snapshot(date: number): ScheduleSnapshot {
    return {
      id: fromByteString(this.id),
      source: this.source,
      lastTick: this.last,
      nextTick: this.next === Infinity ? undefined : this.next,
      isPaused: this.isPaused,
      problem: this.problem(date),
      options: writtenSchedule(this.schedule),
    };
  }

  private problem(date: number): string | undefined {
    if (this.trouble !== undefined) return this.trouble;
    if (this.last > date + 1_000) {
      return `the clock was set back: nothing fires before ${new Date(this.last).toISOString()}`;
    }
    if (this.skipped > 0) return `${this.skipped} ticks skipped: ${this.handle ?? 'its last job'} has not ended`;
    if (this.next === Infinity && !this.isPaused && !this.isBusy) return 'over: no tick will come any more';
    return undefined;
  }
}
