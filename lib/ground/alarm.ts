import { MAX_TIMER_DELAY } from './limits.js';

/** The two clocks of a job server, both in milliseconds. */
export interface Clocks {
  /** For durations: nobody sets it. */
  readonly now: number;
  /** Since 1970: may be set forward and back. */
  readonly date: number;
}

/** Those of the machine. */
export const SYSTEM_CLOCKS: Clocks = {
  get now() {
    return performance.now();
  },
  get date() {
    return Date.now();
  },
};

/** The job server's time: its clocks, and the only timer. */
export class Alarm implements Clocks {
  private timer: NodeJS.Timeout | undefined;
  private setFor = Infinity;

  /** @param ring is called at the earliest time it was set for, once; then it has to be set again. */
  constructor(
    private readonly clocks: Clocks,
    private readonly ring: () => void,
  ) {}

  get now(): number {
    return this.clocks.now;
  }

  get date(): number {
    return this.clocks.date;
  }

  /** Rings at a time on the clock of durations, unless it does so before anyway. */
  at(time: number): void {
    if (time >= this.setFor) return;
    this.stop();
    this.setFor = time;
    const delay = Math.min(Math.max(Math.ceil(time - this.now), 0), MAX_TIMER_DELAY);
    this.timer = setTimeout(() => {
      this.setFor = Infinity;
      this.ring();
    }, delay).unref();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.setFor = Infinity;
  }
}
