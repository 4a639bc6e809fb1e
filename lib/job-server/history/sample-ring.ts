import type { Log2Histogram } from '../../telemetry/metrics/index.js';
import { TimeWindow } from './time-window.js';

/** What is seen of a moment, and what was counted in the interval that ended then. */
const GAUGES = ['waiting', 'delayed', 'running', 'workers', 'oldestWaitingSeconds'] as const;
const COUNTS = ['submitted', 'completed', 'failed'] as const;

/** How long jobs waited that were assigned in the interval, and how long those ran that ended in it. */
const TIMES = ['waitP50Seconds', 'waitP95Seconds', 'runP50Seconds', 'runP95Seconds'] as const;

/** What is kept of each moment, in this order. */
export const HISTORY_SERIES = [...GAUGES, ...COUNTS, ...TIMES] as const;

/** A name of {@link HISTORY_SERIES}. */
export type HistorySeriesName = (typeof HISTORY_SERIES)[number];

const WIDTH = HISTORY_SERIES.length;

/** How many numbers make a sample: all of a moment but the times. */
export const SAMPLE_WIDTH = GAUGES.length + COUNTS.length;

/** The first of the series that are counts, which are added up; of the others the last value is kept. */
const FIRST_COUNT = GAUGES.length;

/** One moment: gauges and counts, by {@link HISTORY_SERIES}. */
export type HistorySample = readonly number[];

/** How long jobs have waited and run since the job server began, in milliseconds. */
export interface HistoryTimes {
  readonly wait: Log2Histogram;
  readonly run: Log2Histogram;
}

/** The last so many moments, oldest first. */
export class SampleRing {
  private readonly values: Float32Array;
  private readonly sum: number[] = new Array<number>(SAMPLE_WIDTH).fill(0);
  private readonly wait: TimeWindow;
  private readonly run: TimeWindow;
  private next = 0;
  private pending = 0;
  /** How many moments it has. */
  length = 0;
  /** When its last moment was. */
  until = new Date();

  /**
   * @param capacity how many moments it keeps.
   * @param every how many samples make one of its moments: counts are added up, of the others the last one is kept.
   * @param times what the times were before its first moment.
   */
  constructor(
    private readonly capacity: number,
    private readonly every: number,
    times: HistoryTimes,
  ) {
    this.values = new Float32Array(capacity * WIDTH);
    this.wait = new TimeWindow(times.wait);
    this.run = new TimeWindow(times.run);
  }

  add(sample: HistorySample, times: HistoryTimes): void {
    for (let index = 0; index < SAMPLE_WIDTH; index++) {
      this.sum[index] = (index >= FIRST_COUNT ? this.sum[index]! : 0) + sample[index]!;
    }
    if (++this.pending < this.every) return;
    const place = this.next * WIDTH;
    this.values.set(this.sum, place);
    this.values.set(this.wait.next(times.wait), place + SAMPLE_WIDTH);
    this.values.set(this.run.next(times.run), place + SAMPLE_WIDTH + 2);
    this.next = (this.next + 1) % this.capacity;
    if (this.length < this.capacity) this.length++;
    this.until = new Date();
    this.pending = 0;
    this.sum.fill(0);
  }

  /** Each series, oldest first; NaN where no job was assigned or ended in an interval. */
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
