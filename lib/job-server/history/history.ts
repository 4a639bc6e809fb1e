import { toByteString } from '../../protocol/index.js';
import { FunctionStats, PRIORITIES, type Engine, type GearmanFunction } from '../engine/index.js';
import { RecentJobs } from './recent-jobs.js';
import { HISTORY_SERIES, SampleRing, type HistorySeriesName } from './sample-ring.js';

/** How often a sample is taken, in milliseconds. */
const INTERVAL = 1_000;

/** So many functions have a history of their own: the busiest lately. */
export const MAX_FUNCTION_HISTORIES = 1_000;

/** How fine a history is: a moment a second, every ten seconds, or every five minutes. */
export type HistoryResolution = '1s' | '10s' | '5min';

const SAMPLES: Record<HistoryResolution, number> = { '1s': 1, '10s': 10, '5min': 300 };

/** The past, at even intervals. */
export interface HistorySlice {
  /** How far two moments are apart, in milliseconds. */
  interval: number;
  /** When the last moment was. */
  until: Date;
  /** Each series, oldest first; percentiles are NaN where nothing was to be measured. */
  series: Record<HistorySeriesName, number[]>;
}

/** So many functions are looked at together; others have their turn before the next ones. */
const SLICE = 250;

/** What is known of a function from one sample to the next. */
class FunctionHistory {
  readonly rings: Record<'1s' | '10s', SampleRing>;
  private counted: Counts;
  /** The number of the last sample in which it had anything to do. */
  busyAt = 0;

  constructor(private readonly function_: GearmanFunction) {
    const { stats } = function_;
    this.rings = {
      '1s': new SampleRing(120, SAMPLES['1s'], stats),
      '10s': new SampleRing(360, SAMPLES['10s'], stats),
    };
    this.counted = counts(stats);
  }

  sample(moment: readonly number[]): void {
    const { stats } = this.function_;
    const counted = counts(stats);
    const sample = [...moment, ...since(counted, this.counted)];
    this.counted = counted;
    for (const ring of Object.values(this.rings)) ring.add(sample, stats);
  }
}

/**
 * The numbers of the past: of all functions together for a day, and of each of
 * the busiest thousand for an hour. They are kept only while somebody wants
 * them, in rings of a fixed size: 24 MB for a thousand functions.
 */
export class History {
  private totals: Record<HistoryResolution, SampleRing> | undefined;
  private readonly functions = new Map<GearmanFunction, FunctionHistory>();
  private keepers = 0;
  private timer: NodeJS.Timeout | undefined;
  private isSampling = false;
  private samples = 0;
  /** What was submitted, completed and failed over all functions by the last sample. */
  private counted: Counts = [0, 0, 0];
  /** The jobs that ended lately. */
  readonly recent: RecentJobs;

  /**
   * @param engine tells its engine the time, and returns it.
   * @internal
   */
  constructor(private readonly engine: () => Engine) {
    this.recent = new RecentJobs(engine);
  }

  /** Keeps the history until everybody who called this has called the function it returned; then the history is forgotten. */
  keep(): () => void {
    let isKept = true;
    if (++this.keepers === 1) this.begin();
    return () => {
      if (isKept && --this.keepers === 0) this.end();
      isKept = false;
    };
  }

  /** The job server has started: whoever wanted history before it ended wants it still. */
  resume(): void {
    if (this.keepers > 0 && !this.totals) this.begin();
  }

  /** The job server has ended: keeps nothing, whoever wants it, until it starts again. */
  end(): void {
    clearInterval(this.timer);
    this.timer = this.totals = undefined;
    this.functions.clear();
    this.recent.forget();
  }

  /** All functions together; undefined while nobody wants history. */
  total(resolution: HistoryResolution): HistorySlice | undefined {
    const ring = this.totals?.[resolution];
    return ring && sliceOf(ring, resolution);
  }

  /** One function, by its name as text; undefined where none is kept of it. */
  function(name: string, resolution: '1s' | '10s'): HistorySlice | undefined {
    const function_ = this.engine().functions.find(toByteString(name));
    const history = function_ && this.functions.get(function_);
    return history && sliceOf(history.rings[resolution], resolution);
  }

  /** Takes a sample at once, as its timer does in slices. */
  sample(): void {
    const slices = this.slices();
    while (!slices.next().done);
  }

  private begin(): void {
    const stats = this.sumOfStats(this.engine().functions);
    this.totals = {
      '1s': new SampleRing(600, SAMPLES['1s'], stats),
      '10s': new SampleRing(360, SAMPLES['10s'], stats),
      '5min': new SampleRing(288, SAMPLES['5min'], stats),
    };
    this.counted = counts(stats);
    this.recent.isKept = true;
    this.timer = setInterval(() => void this.sampleInTurns(), INTERVAL).unref();
  }

  private sumOfStats(functions: Engine['functions']): FunctionStats {
    const sum = new FunctionStats();
    sum.addAll(functions.droppedStats);
    for (const function_ of functions) if (function_.hasStats) sum.addAll(function_.stats);
    return sum;
  }

  private async sampleInTurns(): Promise<void> {
    if (this.isSampling) return;
    this.isSampling = true;
    const { totals } = this;
    const slices = this.slices();
    while (!slices.next().done) {
      await new Promise(setImmediate);
      if (this.totals !== totals) break;
    }
    this.isSampling = false;
  }

  /**
   * Samples all functions there were when it began. A function that is dropped
   * meanwhile is counted here, and among the dropped ones only from the next
   * sample on: so counts never fall.
   */
  private *slices(): Generator<void, void> {
    const { totals } = this;
    if (!totals) return;
    this.samples++;
    this.recent.sampled();
    const engine = this.engine();
    const { functions } = engine;
    const stats = new FunctionStats();
    stats.addAll(functions.droppedStats);
    const moment = [0, 0, 0, 0, 0];
    let looked = 0;
    for (const function_ of [...functions]) {
      if (++looked % SLICE === 0) {
        yield;
        // Ages are counted up to the time it was told last.
        this.engine();
      }
      if (!function_.hasStats) continue;
      const own = momentOf(function_, engine);
      this.historyOf(function_)?.sample(own);
      addUp(moment, own);
      stats.addAll(function_.stats);
    }
    const counted = counts(stats);
    const sample = [...moment, ...since(counted, this.counted)];
    this.counted = counted;
    for (const ring of Object.values(totals)) ring.add(sample, stats);
    for (const function_ of this.functions.keys()) {
      if (functions.find(function_.name) !== function_) this.functions.delete(function_);
    }
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
      // It was busy in the sample before, and may only not have been looked at in this one: then all of
      // them are busy.
      if (busyAt >= this.samples - 1) return false;
      return this.functions.delete(function_);
    }
    return false;
  }
}

function momentOf(function_: GearmanFunction, engine: Engine): number[] {
  let waiting = 0;
  for (const priority of PRIORITIES) waiting += function_.due(priority);
  const oldest = engine.oldestWaiting(function_) / 1_000;
  return [waiting, function_.delayedTotal, function_.running, function_.workers.size, oldest];
}

/** What was submitted, completed and failed so far. */
type Counts = readonly [submitted: number, completed: number, failed: number];

function counts({ submitted, completed, failed, buried }: FunctionStats): Counts {
  return [submitted, completed, failed + buried];
}

function since(counted: Counts, before: Counts): number[] {
  return counted.map((count, index) => count - before[index]!);
}

const OLDEST = HISTORY_SERIES.indexOf('oldestWaitingSeconds');

function addUp(total: number[], sample: readonly number[]): void {
  for (let index = 0; index < sample.length; index++) {
    const value = sample[index]!;
    total[index] = index === OLDEST ? Math.max(total[index]!, value) : total[index]! + value;
  }
}

function sliceOf(ring: SampleRing, resolution: HistoryResolution): HistorySlice {
  return { interval: SAMPLES[resolution] * INTERVAL, until: ring.until, series: ring.series() };
}
