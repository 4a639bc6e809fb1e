import { ACTIVITY_ROW, FUNCTION_ROW, PRIORITY_NAMES, writeFunctionJobRow } from '../../protocol/index.js';
import { elapsed, PRIORITIES, Priority, type Engine, type GearmanFunction, type Job } from '../engine/index.js';

/** How many jobs of a function are listed at most. */
const MAX_JOBS = 100;

/** A row of `show functions`. */
export function functionLine(function_: GearmanFunction): string {
  const { name, total, running, delayedTotal, workers, isPaused, limits } = function_;
  return FUNCTION_ROW.write(name, {
    total,
    running,
    high: function_.due(Priority.high),
    normal: function_.due(Priority.normal),
    low: function_.due(Priority.low),
    delayed: delayedTotal,
    workers: workers.size,
    isPaused: Number(isPaused),
    highLimit: limits[0],
    normalLimit: limits[1],
    lowLimit: limits[2],
  });
}

/** A row of `show activity`. */
export function activityLine(engine: Engine, function_: GearmanFunction): string {
  const [submitted, completed, failed] = countsOf(function_);
  return ACTIVITY_ROW.write(function_.name, {
    oldestWaiting: Math.round(engine.oldestWaiting(function_)),
    longestRunning: Math.round(function_.longestRunning(engine.now)),
    submitted,
    completed,
    failed,
  });
}

function countsOf(function_: GearmanFunction): [came: number, completed: number, failed: number] {
  // A function that had no job has no counts yet, and reading them must not make any.
  if (!function_.hasStats) return [0, 0, 0];
  const { submitted, replayed, completed, failed, buried } = function_.stats;
  return [submitted + replayed, completed, failed + buried];
}

/** The rows of `show jobs of FUNCTION`: those that run, longest first, then those that a worker would be given next. */
export function* jobLines(engine: Engine, function_: GearmanFunction): Iterable<string> {
  let left = MAX_JOBS;
  const lists = [function_.runningJobs, ...PRIORITIES.map((priority) => function_.queues[priority])];
  for (const list of lists) {
    for (const job of list) {
      if (left-- <= 0) return;
      yield jobLine(engine, job);
    }
  }
}

function jobLine(engine: Engine, job: Job): string {
  const { priority, isBackground, losses, attempts, worker } = job;
  const isRunning = job.state === 'running';
  return writeFunctionJobRow({
    handle: engine.handleOf(job),
    isRunning,
    priority: PRIORITY_NAMES[priority],
    isBackground,
    age: Math.round(elapsed(isRunning ? job.since : job.readySince, engine.now)),
    losses,
    attempts,
    numerator: finite(job.numerator),
    denominator: finite(job.denominator),
    worker: worker?.clientId,
  });
}

/** Progress is text that the worker wrote: what is no number counts as 0. */
function finite(text: string | number): number {
  const number = Number(text);
  return Number.isFinite(number) ? number : 0;
}
