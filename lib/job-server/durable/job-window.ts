import type { GearmanFunction } from '../engine/index.js';
import type { WindowLimit } from './window-limit.js';

/** Over how long the ends of jobs are counted, in milliseconds. */
const SPAN = 1_000;

/** How many jobs of a function ended lately. */
interface Ends {
  since: number;
  count: number;
  /** How many ended in the span before. */
  before: number;
}

/**
 * How many stored jobs of a priority a job server keeps ready for its workers,
 * where others share the storage.
 *
 * What stands in one job server's queue is out of the reach of another's idle
 * workers. So it leases no more than its own will soon have run: twice as many
 * as run or could begin at once, or as many as ended within the last second.
 */
export class JobWindow {
  private readonly ends = new WeakMap<GearmanFunction, Ends>();

  /** @param limit how many it is at most. */
  constructor(private readonly limit: WindowLimit) {}

  /** A job of a function ended, at this time of the clock that nobody sets. */
  ended(function_: GearmanFunction, now: number): void {
    this.endsOf(function_, now).count++;
    this.set(function_, now);
  }

  /** Sets a function's window. */
  set(function_: GearmanFunction, now: number): void {
    const { before, count } = this.endsOf(function_, now);
    const busy = 2 * (function_.running + function_.workers.size);
    function_.window = Math.min(this.limit.of(function_), Math.max(busy, before, count));
  }

  private endsOf(function_: GearmanFunction, now: number): Ends {
    let ends = this.ends.get(function_);
    if (!ends) this.ends.set(function_, (ends = { since: now, count: 0, before: 0 }));
    const passed = now - ends.since;
    if (passed < SPAN) return ends;
    ends.before = passed < 2 * SPAN ? ends.count : 0;
    ends.count = 0;
    ends.since = now;
    return ends;
  }
}
