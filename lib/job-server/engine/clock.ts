import { Timers, type Timer } from './timers.js';

/** The engine's time: what it was last told, and what is due later. */
export class Clock {
  private readonly timers = new Timers();
  /** Milliseconds since 1970, as last told. */
  now = 0;

  /** @param due is told when the earliest due time becomes earlier. */
  constructor(private readonly due: (at: number) => void) {}

  /** The next due time, Infinity when nothing is set. */
  get nextDue(): number {
    return this.timers.nextDue;
  }

  set(at: number, fire: () => void): Timer {
    const timer = this.timers.set(at, fire);
    if (timer.index === 0) this.due(at);
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    this.timers.cancel(timer);
  }

  /** Fires what is due and returns the next due time. */
  tick(now: number): number {
    this.now = now;
    this.timers.advance(now);
    return this.timers.nextDue;
  }
}
