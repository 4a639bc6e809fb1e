import type { Log2Histogram } from '../../telemetry/metrics/index.js';

/** What a {@link TimeWindow} tells, in this order. */
export const PERCENTILES = [0.5, 0.95] as const;

/**
 * The percentiles of what a histogram of milliseconds has counted since it was
 * last asked for them. Within a slot times are taken to lie evenly, as
 * Prometheus' `histogram_quantile` takes them.
 */
export class TimeWindow {
  private before: readonly number[];

  constructor(histogram: Log2Histogram) {
    this.before = histogram.counts.slice();
  }

  /** By {@link PERCENTILES}, in seconds; NaN where nothing was counted. */
  next(histogram: Log2Histogram): number[] {
    const { before } = this;
    const now = histogram.counts;
    let count = 0;
    for (let slot = 0; slot < now.length; slot++) count += now[slot]! - before[slot]!;
    if (count === 0) return PERCENTILES.map(() => NaN);
    const found = PERCENTILES.map((part) => percentile(before, now, part * count) / 1_000);
    this.before = now.slice();
    return found;
  }
}

/** The value, in milliseconds, below which `rank` of the times lie that were counted between two moments. */
function percentile(before: readonly number[], now: readonly number[], rank: number): number {
  let below = 0;
  for (let slot = 0; slot < now.length; slot++) {
    const inSlot = now[slot]! - before[slot]!;
    if (inSlot === 0 || below + inSlot < rank) {
      below += inSlot;
      continue;
    }
    const least = slot === 0 ? 0 : 2 ** (slot - 1);
    return least + (2 ** slot - least) * ((rank - below) / inSlot);
  }
  return 0;
}
