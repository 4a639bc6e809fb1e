/**
 * Leases begin from the first place of a lease that is at least so old, in
 * milliseconds: jobs that were written late, in a lower place than some that
 * are leased, are there by then.
 */
export const SETTLED = 500;

/** How often a queue is looked at from its beginning, in milliseconds, and how often where fewer jobs came than were asked for. */
const SWEEP_INTERVAL = { full: 10_000, short: 1_000 };

/** What part of the time, at most, goes into looking from the beginning. */
const SWEEP_PART = 0.2;

/**
 * The place from which a queue is leased: all jobs below it were leased before.
 * While somebody's old snapshot keeps their rows, walking over them takes longer
 * with each job.
 *
 * Jobs that are given back, or written late, wait below it nevertheless. Whoever
 * does that says so by {@link lower}; and as that may not have been heard, the
 * queue is looked at from its beginning now and then, the less often the longer
 * that takes. Times are of the clock of durations, in milliseconds.
 */
export class QueueFloor {
  private floor = 0;
  /** The first place of a lease, the floor once that lease is long enough ago; and since when it is kept. */
  private next = 0;
  private since = -Infinity;
  private sweptAt = -Infinity;
  private sweepTime = 0;
  private isSweeping = false;
  private wasShort = false;

  /**
   * A lease begins: from which place on it takes jobs.
   *
   * @param isLittered whether there may be many dead rows to walk over; else it begins from the beginning.
   */
  begin(now: number, isLittered: boolean): number {
    const { full, short } = SWEEP_INTERVAL;
    const interval = Math.max(this.wasShort ? short : full, this.sweepTime / SWEEP_PART);
    this.isSweeping = !isLittered || now - this.sweptAt >= interval;
    if (!this.isSweeping) return this.floor;
    this.sweptAt = now;
    return 0;
  }

  /**
   * The lease is over, or has failed.
   *
   * @param first the place of the first job it took, if any.
   * @param isShort whether there were fewer than were asked for.
   */
  end(now: number, first: number | undefined, isShort: boolean): void {
    if (this.isSweeping) this.sweepTime = now - this.sweptAt;
    this.isSweeping = false;
    this.wasShort = isShort;
    if (first === undefined) return;
    if (now - this.since >= SETTLED) {
      this.floor = this.next;
      this.next = first;
      this.since = now;
    }
    // A sweep has found one below: there may be more.
    if (first < this.floor) this.lower(first);
  }

  /** Jobs from this place on may wait. */
  lower(place = 0): void {
    this.floor = Math.min(this.floor, place);
    this.next = Math.min(this.next, place);
  }
}
