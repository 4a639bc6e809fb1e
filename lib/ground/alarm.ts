import { MAX_TIMER_DELAY } from './limits.js';

/** The two clocks of a job server, both in milliseconds. */
export interface Clocks {
  /** The clock for durations: it only goes forward, because nobody can set it. */
  readonly now: number;
  /** The time since 1970: somebody may set it forward or back. */
  readonly date: number;
}

class SystemClocks implements Clocks {
  get now(): number {
    return performance.now();
  }

  get date(): number {
    return Date.now();
  }
}

/** The clocks of the machine. */
export const SYSTEM_CLOCKS: Clocks = new SystemClocks();

/** The job server's time: its clocks, and the only timer. */
export class Alarm implements Clocks {
  private timer: NodeJS.Timeout | undefined;
  private setFor = Infinity;

  /** @param ring is called once, at the earliest time that {@link at} was given; afterwards the alarm has to be set again. */
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

  /** Rings at a time on the clock of durations; an earlier time that was set before stays. */
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
