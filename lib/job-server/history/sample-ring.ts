/** What is kept of each moment, in this order. Counts are those of the interval that ended then. */
export const HISTORY_SERIES = [
  'waiting',
  'delayed',
  'running',
  'workers',
  'oldestWaitingSeconds',
  'submitted',
  'completed',
  'failed',
] as const;

/** A name of {@link HISTORY_SERIES}. */
export type HistorySeriesName = (typeof HISTORY_SERIES)[number];

const WIDTH = HISTORY_SERIES.length;

/** The first of the series that are counts: they are added up where others are looked at. */
const FIRST_COUNT = HISTORY_SERIES.indexOf('submitted');

/** One moment, by {@link HISTORY_SERIES}. */
export type HistorySample = readonly number[];

/** The last so many moments, oldest first. */
export class SampleRing {
  private readonly values: Float32Array;
  private readonly sum: number[] = new Array<number>(WIDTH).fill(0);
  private next = 0;
  private pending = 0;
  /** How many moments it holds. */
  length = 0;

  /**
   * @param capacity how many moments it keeps.
   * @param every how many samples make one of its moments: counts are added up, of the others the last one is kept.
   */
  constructor(
    private readonly capacity: number,
    private readonly every: number,
  ) {
    this.values = new Float32Array(capacity * WIDTH);
  }

  add(sample: HistorySample): void {
    for (let index = 0; index < WIDTH; index++) {
      this.sum[index] = (index >= FIRST_COUNT ? this.sum[index]! : 0) + sample[index]!;
    }
    if (++this.pending < this.every) return;
    this.values.set(this.sum, this.next * WIDTH);
    this.next = (this.next + 1) % this.capacity;
    if (this.length < this.capacity) this.length++;
    this.pending = 0;
    this.sum.fill(0);
  }

  /** Each series, oldest first. */
  series(): Record<HistorySeriesName, number[]> {
    const first = (this.next - this.length + this.capacity) % this.capacity;
    const entries = HISTORY_SERIES.map((name, index) => {
      const values = Array.from({ length: this.length }, (_, offset) => {
        return this.values[((first + offset) % this.capacity) * WIDTH + index]!;
      });
      return [name, values];
    });
    return Object.fromEntries(entries) as Record<HistorySeriesName, number[]>;
  }
}
