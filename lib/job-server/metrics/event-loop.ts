import { monitorEventLoopDelay, performance, type IntervalHistogram } from 'node:perf_hooks';
import type { MetricSet } from '../../telemetry/metrics/index.js';

/** How often Node looks how late the loop is, in milliseconds; every value it tells includes that. */
const RESOLUTION = 10;

/** For how long delays are gathered, in milliseconds. */
const WINDOW = 10_000;

const QUANTILES = [0.5, 0.99, 1] as const;

/**
 * How busy this process' event loop is, and how late. The delay is that of the
 * last ten seconds for everybody who asks: reading ends no window.
 *
 * It looks from the first question on, until {@link stop}.
 */
export class EventLoopWatch {
  private current: IntervalHistogram | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Delays of the last whole window, by {@link QUANTILES}, in seconds. */
  private last: readonly number[] | undefined;

  /** How late the loop is, in seconds: 99 of 100 times it was less late than this. */
  get delay(): number {
    return this.delays[1]!;
  }

  /** Adds what there is to tell. */
  tell(set: MetricSet): void {
    set.add('event_loop_active_seconds_total', performance.eventLoopUtilization().active / 1_000);
    const { delays } = this;
    for (const [index, quantile] of QUANTILES.entries()) {
      set.add('event_loop_delay_seconds', delays[index]!, { quantile: String(quantile) });
    }
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.timer);
    this.current?.disable();
    this.current = this.timer = this.last = undefined;
  }

  private get delays(): readonly number[] {
    return this.last ?? delaysOf(this.started());
  }

  private started(): IntervalHistogram {
    if (!this.current) {
      this.current = monitorEventLoopDelay({ resolution: RESOLUTION });
      this.current.enable();
      this.timer = setInterval(() => this.turn(), WINDOW).unref();
    }
    return this.current;
  }

  private turn(): void {
    this.last = delaysOf(this.current!);
    this.current!.reset();
  }
}

function delaysOf(histogram: IntervalHistogram): number[] {
  // Before the first look the histogram is empty, and its percentiles mean nothing.
  if (histogram.count === 0) return QUANTILES.map(() => 0);
  return QUANTILES.map((quantile) => Math.max(0, histogram.percentile(quantile * 100) / 1e9 - RESOLUTION / 1e3));
}
