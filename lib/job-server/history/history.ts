import { fromByteString } from '../../protocol/index.js';
import { type FunctionStats, PRIORITIES, type Engine, type GearmanFunction } from '../engine/index.js';
import { RecentJobs } from './recent-jobs.js';
import { HISTORY_SERIES, SampleRing, type HistorySample, type HistorySeriesName } from './sample-ring.js';

/** How often a sample is taken, in milliseconds. */
const INTERVAL = 1_000;

/** So many functions have a history of their own: the busiest lately. */
export const MAX_FUNCTION_HISTORIES = 1_000;

/** How fine a history is: a moment a second, every ten seconds, or every five minutes. */
export type HistoryResolution = '1s' | '10s' | '5min';

const SAMPLES: Record<HistoryResolution, number> = { '1s': 1, '10s': 10, '5min': 300 };

/** What was, at even intervals. */
export interface HistorySlice {
  /** How far two moments are apart, in milliseconds. */
  interval: number;
  /** Each series, oldest first; its last moment is now, or less than an interval ago. */
  series: Record<HistorySeriesName, number[]>;
}

/** What is known of a function from one sample to the next. */
class FunctionHistory {
  readonly rings = { '1s': new SampleRing(120, SAMPLES['1s']), '10s': new SampleRing(360, SAMPLES['10s']) };
  private submitted: number;
  private completed: number;
  private failed: number;
  /** The number of the last sample in which it had anything to do. */
  busyAt = 0;

  constructor(private readonly function_: GearmanFunction) {
    [this.submitted, this.completed, this.failed] = counts(function_.stats);
  }

  sample(now: number): HistorySample {
    const [submitted, completed, failed] = counts(this.function_.stats);
    const sample = [
      ...momentOf(this.function_, now),
      submitted - this.submitted,
      completed - this.completed,
      failed - this.failed,
    ];
    [this.submitted, this.completed, this.failed] = [submitted, completed, failed];
    for (const ring of Object.values(this.rings)) ring.add(sample);
    return sample;
  }
}

/**
 * What the numbers were: of all functions together for a day, of the busiest
 * thousand for an hour. Kept only while somebody wants it, in rings of a fixed
 * size: 15 MB for a thousand functions.
 */
export class History {
  private totals: Record<HistoryResolution, SampleRing> | undefined;
  private readonly functions = new Map<GearmanFunction, FunctionHistory>();
  private keepers = 0;
  private timer: NodeJS.Timeout | undefined;
  private samples = 0;
  /** What was submitted, completed and failed over all functions by the last sample. */
  private counted: readonly number[] = [];
  /** The jobs that ended lately. */
  readonly recent: RecentJobs;

  /** @param engine tells its engine the time, and returns it. */
  constructor(private readonly engine: () => Engine) {
    this.recent = new RecentJobs(engine);
  }

  /** Keeps history until the function it returns is called by everybody who called this; then it is forgotten. */
  keep(): () => void {
    let isKept = true;
    if (++this.keepers === 1) this.begin();
    return () => {
      if (isKept && --this.keepers === 0) this.end();
      isKept = false;
    };
  }

  /** The job server has ended: keeps nothing, whoever wants it. */
  end(): void {
    clearInterval(this.timer);
    this.timer = this.totals = undefined;
    this.functions.clear();
    this.recent.forget();
  }

  /** All functions together; undefined while nobody wants history. */
  total(resolution: HistoryResolution): HistorySlice | undefined {
    const ring = this.totals?.[resolution];
    return ring && { interval: SAMPLES[resolution] * INTERVAL, series: ring.series() };
  }

  /** One function, by its name as text; undefined where none is kept of it. */
  function(name: string, resolution: '1s' | '10s'): HistorySlice | undefined {
    for (const [function_, { rings }] of this.functions) {
      if (fromByteString(function_.name) !== name) continue;
      return { interval: SAMPLES[resolution] * INTERVAL, series: rings[resolution].series() };
    }
    return undefined;
  }

  /** Takes a sample. Called by its timer; a test calls it itself. */
  sample(): void {
    if (!this.totals) return;
    this.samples++;
    const { functions, now } = this.engine();
    const moment = [0, 0, 0, 0, 0];
    for (const function_ of functions) {
      if (!function_.hasStats) continue;
      this.historyOf(function_)?.sample(now);
      addUp(moment, momentOf(function_, now));
    }
    const counted = this.countAll();
    const since = counted.map((count, index) => count - this.counted[index]!);
    this.counted = counted;
    for (const ring of Object.values(this.totals)) ring.add([...moment, ...since]);
    for (const function_ of this.functions.keys()) {
      if (functions.find(function_.name) !== function_) this.functions.delete(function_);
    }
  }

  /** Over all functions, also those that were dropped. */
  private countAll(): number[] {
    const { functions } = this.engine();
    const sums = counts(functions.droppedStats);
    for (const function_ of functions) {
      if (!function_.hasStats) continue;
      for (const [index, count] of counts(function_.stats).entries()) sums[index]! += count;
    }
    return sums;
  }

  private begin(): void {
    this.totals = {
      '1s': new SampleRing(600, SAMPLES['1s']),
      '10s': new SampleRing(360, SAMPLES['10s']),
      '5min': new SampleRing(288, SAMPLES['5min']),
    };
    this.counted = this.countAll();
    this.recent.isKept = true;
    this.timer = setInterval(() => this.sample(), INTERVAL).unref();
  }

  /** A function's history; where there are too many a busy one takes the place of the one that was idle longest. */
  private historyOf(function_: GearmanFunction): FunctionHistory | undefined {
    const isBusy = function_.total > 0;
    let history = this.functions.get(function_);
    if (!history) {
      if (!isBusy && this.functions.size >= MAX_FUNCTION_HISTORIES) return undefined;
      if (this.functions.size >= MAX_FUNCTION_HISTORIES && !this.dropIdlest()) return undefined;
      this.functions.set(function_, (history = new FunctionHistory(function_)));
    }
    if (isBusy) {
      history.busyAt = this.samples;
      // The map's order is that of the last business: the first one was idle longest.
      this.functions.delete(function_);
      this.functions.set(function_, history);
    }
    return history;
  }

  private dropIdlest(): boolean {
    for (const [function_, { busyAt }] of this.functions) {
      // It was busy in this sample as well: all of them are.
      if (busyAt === this.samples) return false;
      return this.functions.delete(function_);
    }
    return false;
  }
}

function momentOf(function_: GearmanFunction, now: number): number[] {
  let waiting = 0;
  for (const priority of PRIORITIES) waiting += function_.due(priority);
  const oldest = function_.oldestWaiting(now) / 1_000;
  return [waiting, function_.delayedTotal, function_.running, function_.workers.size, oldest];
}

function counts(stats: FunctionStats): [submitted: number, completed: number, failed: number] {
  const { foreground, background, fromSchedule, fromHttp, completed, failed, buried } = stats;
  return [foreground + background + fromSchedule + fromHttp, completed, failed + buried];
}

const OLDEST = HISTORY_SERIES.indexOf('oldestWaitingSeconds');

function addUp(total: number[], sample: readonly number[]): void {
  for (let index = 0; index < sample.length; index++) {
    const value = sample[index]!;
    total[index] = index === OLDEST ? Math.max(total[index]!, value) : total[index]! + value;
  }
}
