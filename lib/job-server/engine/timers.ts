/** Something that is due at a time; made by {@link Timers}. */
export interface Timer {
  readonly at: number;
  /** Where it is set. */
  readonly among: Timers;
  /** Counts the timers: of two due at one time the one set first fires first. */
  readonly number: number;
  readonly fire: () => void;
  /** Place in the heap, -1 once fired or cancelled. */
  index: number;
}

/** How many timers one call fires at most. */
const FIRED_AT_ONCE = 1_000;

/**
 * What is due when: a binary heap that reads no clock. Setting and cancelling
 * cost the logarithm of what is set; the jobs of most installations set nothing.
 */
export class Timers {
  private readonly heap: Timer[] = [];
  private lastNumber = 0;

  /** The next due time, Infinity when nothing is set. */
  get nextDue(): number {
    return this.heap[0]?.at ?? Infinity;
  }

  set(at: number, fire: () => void): Timer {
    const timer: Timer = { at, among: this, number: ++this.lastNumber, fire, index: this.heap.length };
    this.heap.push(timer);
    this.rise(timer);
    return timer;
  }

  cancel(timer: Timer | undefined): void {
    if (!timer || timer.index < 0) return;
    const last = this.heap.pop()!;
    if (last !== timer) {
      this.place(last, timer.index);
      this.rise(last);
      this.sink(last);
    }
    timer.index = -1;
  }

  /**
   * Fires what is due at `now`, earliest first, and at one time in the order it
   * was set. Where very much is due at once the rest stays for the next call:
   * {@link nextDue} says so.
   */
  advance(now: number): void {
    let left = FIRED_AT_ONCE;
    for (let timer = this.heap[0]; timer && timer.at <= now && left > 0; timer = this.heap[0], left--) {
      this.cancel(timer);
      timer.fire();
    }
  }

  private rise(timer: Timer): void {
    while (timer.index > 0) {
      const parent = this.heap[(timer.index - 1) >> 1]!;
      if (!isBefore(timer, parent)) return;
      this.swap(parent, timer);
    }
  }

  private sink(timer: Timer): void {
    for (;;) {
      const left = this.heap[timer.index * 2 + 1];
      const right = this.heap[timer.index * 2 + 2];
      const child = right && isBefore(right, left!) ? right : left;
      if (!child || !isBefore(child, timer)) return;
      this.swap(timer, child);
    }
  }

  private swap(upper: Timer, lower: Timer): void {
    const index = upper.index;
    this.place(upper, lower.index);
    this.place(lower, index);
  }

  private place(timer: Timer, index: number): void {
    this.heap[index] = timer;
    timer.index = index;
  }
}

function isBefore(one: Timer, other: Timer): boolean {
  return one.at < other.at || (one.at === other.at && one.number < other.number);
}
