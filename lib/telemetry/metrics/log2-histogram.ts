import type { HistogramValue } from './metric-family.js';

/** How many powers of two are told apart: 2^0 to 2^32. */
const SLOTS = 33;

/** The powers that become bounds of times in milliseconds: 1 ms to 33 s one by one, then 131, 524 and 2,097 s. */
export const TIME_POWERS: readonly number[] = [...Array.from({ length: 16 }, (_, power) => power), 17, 19, 21];

/**
 * Counts numbers by powers of two: a value goes to the smallest power
 * that is not below it. Counting costs one addition and finding the slot one
 * instruction; reading takes nothing out.
 */
export class Log2Histogram {
  private readonly slots: number[] = new Array<number>(SLOTS).fill(0);
  private sum = 0;

  /** Counts a value, 0 to 2^32; what is less counts as 0. */
  add(value: number): void {
    if (value > 1) {
      // 2^k is the last value of slot k: one less than a whole number has its bits.
      this.slots[32 - Math.clz32(Math.ceil(value) - 1)]!++;
      this.sum += value;
    } else {
      this.slots[0]!++;
      if (value > 0) this.sum += value;
    }
  }

  /** Counts all that another one has counted as well. */
  addAll(other: Log2Histogram): void {
    this.slots[0]! += other.slots[0]!;
    // Where nothing took any time there is nothing in the other slots.
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
   * As a histogram for a reader.
   *
   * @param powers the powers of two that become its bounds, ascending.
   * @param unit what one of the counted units is in the reader's: 0.001 for milliseconds as seconds.
   */
  value(powers: readonly number[] = TIME_POWERS, unit = 0.001): HistogramValue {
    const cumulative: number[] = [];
    let slot = 0;
    let seen = 0;
    for (const power of powers) {
      for (; slot <= power; slot++) seen += this.slots[slot]!;
      cumulative.push(seen);
    }
    // 2^k times 0.001 has digits that nobody wants to read: 0.016, not 0.016000000000000002.
    const bounds = powers.map((power) => Number((2 ** power * unit).toPrecision(7)));
    return { bounds, cumulative, count: this.count, sum: this.sum * unit };
  }
}
