import { PerformanceObserver } from 'node:perf_hooks';

/** How many of the longest turns and pauses are recorded. */
const REMEMBERED = 2_000;

/**
 * What the job server's process measures of itself: its longest turns of the event
 * loop, how much CPU time they used, and when the garbage collector paused it.
 * Times are the machine's monotonic clock in milliseconds, the same for every
 * process.
 */
export class Probe {
  #turns = [];
  #pauses = [];
  #at = now();
  #cpu = cpu();

  constructor() {
    const offset = now() - performance.now();
    const observer = new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        this.#pauses.push([offset + startTime, offset + startTime + duration]);
      }
      if (this.#pauses.length > REMEMBERED * 2) this.#pauses.splice(0, REMEMBERED);
    });
    observer.observe({ entryTypes: ['gc'] });
    setInterval(() => this.#look(), 1).unref();
  }

  /** Forgets everything measured before. */
  begin() {
    this.#look();
    this.#turns = [];
    this.#pauses = [];
  }

  /** What was measured since. */
  end() {
    this.#look();
    return { turns: this.#turns, pauses: this.#pauses };
  }

  #look() {
    const [at, used] = [now(), cpu()];
    if (at - this.#at > 3) this.#turns.push({ from: this.#at, to: at, cpu: used - this.#cpu });
    if (this.#turns.length > REMEMBERED) {
      this.#turns.sort((one, other) => other.to - other.from - one.to + one.from).splice(REMEMBERED / 2);
    }
    [this.#at, this.#cpu] = [at, used];
  }
}

/** The monotonic clock, in milliseconds. */
export function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** The processor time of all threads of this process, in milliseconds. */
function cpu() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e3;
}
