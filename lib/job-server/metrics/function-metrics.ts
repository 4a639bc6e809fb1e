import { PRIORITY_NAMES } from '../../protocol/index.js';
import { PRIORITIES, FunctionStats, type ByteString, type Engine, type GearmanFunction } from '../engine/index.js';
import {
  FunctionNames,
  type FunctionCounterName,
  type MetricLabels,
  type MetricSet,
} from '../../telemetry/metrics/index.js';

/** Which counter of {@link FunctionStats} is told under which name, and with which label beside the function. */
const COUNTERS: readonly (readonly [FunctionCounterName, keyof Counts, MetricLabels])[] = [
  ['jobs_submitted_total', 'foreground', { mode: 'foreground' }],
  ['jobs_submitted_total', 'background', { mode: 'background' }],
  ['jobs_submitted_total', 'fromSchedule', { mode: 'schedule' }],
  ['jobs_submitted_total', 'fromHttp', { mode: 'http' }],
  ['jobs_coalesced_total', 'coalesced', {}],
  ['jobs_restored_total', 'restored', {}],
  ['jobs_replayed_total', 'replayed', {}],
  ['jobs_started_total', 'started', {}],
  ['jobs_requeued_total', 'requeued', {}],
  ['jobs_retried_total', 'retried', {}],
  ['attempts_failed_total', 'reportedFailures', { reason: 'fail' }],
  ['attempts_failed_total', 'exceptions', { reason: 'exception' }],
  ['attempts_failed_total', 'timeouts', { reason: 'timeout' }],
  ['attempts_failed_total', 'lostWorkers', { reason: 'worker_lost' }],
  ['jobs_completed_total', 'completed', {}],
  ['jobs_failed_total', 'failed', {}],
  ['jobs_buried_total', 'buried', {}],
  ['jobs_cancelled_total', 'cancelled', {}],
  ['jobs_abandoned_total', 'abandoned', {}],
];

type Counts = Omit<FunctionStats, 'wait' | 'run' | 'addAll' | 'accepted'>;

/** The gauges of a function, or of several as one. */
interface Moment {
  running: number;
  delayed: number;
  workers: number;
  paused: number;
  oldest: number;
  longest: number;
  readonly waiting: [number, number, number];
}

/**
 * After so many functions without a name of their own others may have a turn; one with a name is
 * as much work as all of these.
 */
const SLICE = 100;

/**
 * The metrics of functions: each of the first so many that had a job by its
 * name, all others as one, and the counters of all together.
 */
export class FunctionMetrics {
  private readonly names: FunctionNames;

  /** @param maxFunctions how many functions are told by name. */
  constructor(maxFunctions: number) {
    this.names = new FunctionNames(maxFunctions);
  }

  /**
   * Adds what there is to tell, slice by slice: each function as it is when its
   * turn comes.
   *
   * @param dead how many dead letters there are by function; without it nothing is told of them.
   */
  *tell(set: MetricSet, engine: Engine, dead?: ReadonlyMap<ByteString, number>): Generator<void, void> {
    const reading = new Reading(set, engine, this.names);
    yield* reading.functions();
    if (dead) yield* reading.deadLetters(dead);
  }
}

/** One look at all functions there were when it began. */
class Reading {
  /** What the functions with a name have counted, and all others. */
  private readonly named = new FunctionStats();
  private readonly others = new FunctionStats();
  private readonly othersNow = nothing();
  private isAnyOther = false;
  /** The labels of functions that had a job and have a name. */
  private readonly told: MetricLabels[] = [];
  private looked = 0;

  constructor(
    private readonly set: MetricSet,
    private readonly engine: Engine,
    private readonly names: FunctionNames,
  ) {
    // A function that is dropped from now on is still counted by itself.
    this.others.addAll(engine.functions.droppedStats);
  }

  *functions(): Generator<void, void> {
    const jobless: GearmanFunction[] = [];
    for (const function_ of [...this.engine.functions]) {
      if (!function_.hasStats) jobless.push(function_);
      else if (this.withJobs(function_) || this.isSliceOver()) yield;
    }
    yield* this.jobless(jobless);
    const { set, others, named } = this;
    if (this.isAnyOther || hasCounted(others)) {
      tellMoment(set, this.othersNow, FunctionNames.other);
      tellStats(set, others, FunctionNames.other);
    }
    for (const [name, count, labels] of COUNTERS) set.add(`all_${name}`, named[count] + others[count], labels);
  }

  /** Dead letters: those of a function that has nothing else are told as well. */
  *deadLetters(dead: ReadonlyMap<ByteString, number>): Generator<void, void> {
    const counts = new Map(this.told.map((labels) => [labels, 0]));
    // Functions with dead letters of an earlier run only borrow names: those of this run keep theirs.
    let { room } = this.names;
    for (const [name, count] of dead) {
      const labels = this.names.known(name) ?? (room-- > 0 ? this.names.borrow(name) : FunctionNames.other);
      counts.set(labels, (counts.get(labels) ?? 0) + count);
      if (this.isSliceOver()) yield;
    }
    for (const [labels, count] of counts) this.set.add('jobs_dead', count, labels);
  }

  /** @returns whether it was told by its name. */
  private withJobs(function_: GearmanFunction): boolean {
    const labels = this.names.keep(function_.name);
    if (labels === FunctionNames.other) {
      this.others.addAll(function_.stats);
      this.addOther(function_);
      return false;
    }
    this.named.addAll(function_.stats);
    this.told.push(labels);
    tellMoment(this.set, momentOf(function_, this.engine), labels);
    tellStats(this.set, function_.stats, labels);
    return true;
  }

  /** Functions that have had no job yet borrow names for this reading, while there are any left. */
  private *jobless(functions: readonly GearmanFunction[]): Generator<void, void> {
    let { room } = this.names;
    for (const function_ of functions) {
      if (room-- > 0) tellMoment(this.set, momentOf(function_, this.engine), this.names.borrow(function_.name));
      else this.addOther(function_);
      if (this.isSliceOver()) yield;
    }
  }

  private addOther(function_: GearmanFunction): void {
    this.isAnyOther = true;
    addMoment(this.othersNow, function_, this.engine);
  }

  private isSliceOver(): boolean {
    return ++this.looked % SLICE === 0;
  }
}

function momentOf(function_: GearmanFunction, engine: Engine): Moment {
  const moment = nothing();
  addMoment(moment, function_, engine);
  return moment;
}

function nothing(): Moment {
  return { running: 0, delayed: 0, workers: 0, paused: 0, oldest: 0, longest: 0, waiting: [0, 0, 0] };
}

function addMoment(sum: Moment, function_: GearmanFunction, engine: Engine): void {
  sum.running += function_.running;
  sum.workers += function_.workers.size;
  if (function_.isPaused) sum.paused = 1;
  sum.oldest = Math.max(sum.oldest, engine.oldestWaiting(function_));
  sum.longest = Math.max(sum.longest, function_.longestRunning(engine.now));
  for (const priority of PRIORITIES) {
    sum.delayed += function_.notYetDue(priority);
    sum.waiting[priority] += function_.due(priority);
  }
}

function tellMoment(set: MetricSet, moment: Moment, labels: MetricLabels): void {
  const { running, delayed, workers, paused, oldest, longest } = moment;
  const waiting = moment.waiting[0] + moment.waiting[1] + moment.waiting[2];
  set.add('jobs', waiting + delayed + running, labels);
  set.add('jobs_running', running, labels);
  set.add('jobs_waiting', waiting, labels);
  set.add('workers', workers, labels);
  for (const priority of PRIORITIES) {
    const byPriority = { ...labels, priority: PRIORITY_NAMES[priority] };
    set.add('jobs_waiting_by_priority', moment.waiting[priority], byPriority);
  }
  set.add('jobs_delayed', delayed, labels);
  set.add('function_paused', paused, labels);
  set.add('oldest_waiting_seconds', oldest / 1_000, labels);
  set.add('longest_running_seconds', longest / 1_000, labels);
}

function tellStats(set: MetricSet, stats: FunctionStats, labels: MetricLabels): void {
  for (const [name, count, own] of COUNTERS) {
    // One object for all families of a function is written out once.
    const both = name === 'jobs_submitted_total' || name === 'attempts_failed_total' ? { ...labels, ...own } : labels;
    set.add(name, stats[count], both);
  }
  set.addHistogram('job_wait_seconds', stats.wait.value(), labels);
  set.addHistogram('job_run_seconds', stats.run.value(), labels);
}

function hasCounted(stats: FunctionStats): boolean {
  return COUNTERS.some(([, count]) => stats[count] > 0);
}
