import type { HistogramValue } from './metric-family.js';

/** The number of slots, one for each power of two: 2^0 to 2^32. */
const SLOTS = 33;

/** The powers that are bounds for times in milliseconds: each from 1 ms to 33 s, then 131, 524 and 2,097 s. */
export const TIME_POWERS: readonly number[] = [...Array.from({ length: 16 }, (_, power) => power), 17, 19, 21];

/**
 * Counts numbers by powers of two: a value belongs to the smallest power of two
 * that is not below it. Counting costs one addition, and finding the slot one
 * instruction; reading changes nothing.
 */
export class Log2Histogram {
  private readonly slots: number[] = new Array<number>(SLOTS).fill(0);
  private sum = 0;

  /** Counts a value from 0 to 2^32; a smaller one counts as 0. */
  add(value: number): void {
    if (value > 1) {
      // 2^k is the last value of slot k; the whole number below it has k bits.
      this.slots[32 - Math.clz32(Math.ceil(value) - 1)]!++;
      this.sum += value;
    } else {
      this.slots[0]!++;
      if (value > 0) this.sum += value;
    }
  }

  /** Adds everything that another histogram has counted. */
  addAll(other: Log2Histogram): void {
    this.slots[0]! += other.slots[0]!;
    // If nothing took any time, the other slots are empty.
    if (other.sum === 0) return;
    for (let slot = 1; slot < SLOTS; slot++) this.slots[slot]! += other.slots[slot]!;
    this.sum += other.sum;
  }

  /** How many values were counted in each slot, the smallest first: up to 1, to 2, to 4, and so on. */
  get counts(): readonly number[] {
    return this.slots;
  }

  /** How many values were counted. */
  get count(): number {
    return this.slots.reduce((count, slot) => count + slot, 0);
  }

  /**
   * The counts as a histogram for readers.
   *
   * @param powers the powers of two that become its bounds, ascending.
   * @param unit one counted unit in the reader's unit: 0.001 for milliseconds as seconds.
   */
  value(powers: readonly number[] = TIME_POWERS, unit = 0.001): HistogramValue {
    const cumulative: number[] = [];
    let slot = 0;
    let seen = 0;
    for (const power of powers) {
      for (; slot <= power; slot++) seen += this.slots[slot]!;
      cumulative.push(seen);
    }
    // 2^k times 0.001 may have useless digits: 0.016, not 0.016000000000000002.
    const bounds = powers.map((power) => Number((2 ** power * unit).toPrecision(7)));
    return { bounds, cumulative, count: this.count, sum: this.sum * unit };
  }
}
