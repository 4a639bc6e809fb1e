import { Timers, type Timer } from './timers.js';

/**
 * How often a date that something waits for is compared with the clock, in milliseconds: that
 * clock may be set, and nobody is told.
 */
export const LOOK_INTERVAL = 1_000;

/** A moment on the two clocks. */
export interface Moment {
  /** Milliseconds on a clock that nobody sets; where it began means nothing. */
  readonly now: number;
  /** Milliseconds since 1970. */
  readonly date: number;
}

/** When to look whether a date has come, on the clock of durations; Infinity for a date that never comes. */
export function lookAgainFor(date: number, moment: Moment): number {
  return date === Infinity ? Infinity : moment.now + Math.min(Math.max(date - moment.date, 0), LOOK_INTERVAL);
}

/**
 * The engine's time: what it was last told, and what is due later.
 *
 * Durations count on a clock that nobody sets. Only what was given as a date
 * waits for one; the clock of dates may jump to and fro, so whatever waits for
 * a date is looked at again every {@link LOOK_INTERVAL}.
 */
export class Clock implements Moment {
  private readonly durations = new Timers();
  private readonly dates = new Timers();
  now = 0;
  /** The date last told: whoever submits something that has a date tells the current date first. */
  date = 0;
  private isFiring = false;

  /** @param due is told when the next due time becomes earlier. */
  constructor(private readonly due: (at: number) => void) {}

  /** When it wants to be told both clocks again, as {@link now} counts; Infinity when nothing is set. */
  get nextDue(): number {
    return Math.min(this.durations.nextDue, lookAgainFor(this.dates.nextDue, this));
  }

  /** Fires when a duration is over, in milliseconds. */
  after(duration: number, fire: () => void): Timer {
    const timer = this.durations.set(this.now + duration, fire);
    if (timer.index === 0) this.due(timer.at);
    return timer;
  }

  /** Fires when a date has come, in milliseconds since 1970. */
  at(date: number, fire: () => void): Timer {
    const timer = this.dates.set(date, fire);
    if (timer.index === 0) this.due(lookAgainFor(date, this));
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    timer?.among.cancel(timer);
  }

  /**
   * Fires what is due and returns the next due time. Where no date is told, nothing that waits for
   * a date is looked at. Who hears of what fires may tell the time anew; then nothing fires within:
   * of 10,000 jobs that are due at once each would fire the next, until the stack is used up.
   */
  tick(now: number, date?: number): number {
    this.now = now;
    if (date !== undefined) this.date = date;
    if (!this.isFiring) this.fire(now, date);
    return this.nextDue;
  }

  private fire(now: number, date: number | undefined): void {
    this.isFiring = true;
    try {
      this.durations.advance(now);
      if (date !== undefined) this.dates.advance(date);
    } finally {
      this.isFiring = false;
    }
  }
}
