import { showName } from '../../protocol/index.js';
import { elapsed, PRIORITIES, Priority, type Engine, type GearmanFunction, type Job } from '../engine/index.js';

/** How many jobs of a function are told at most. */
const MAX_JOBS = 100;

const PRIORITY_NAMES = ['high', 'normal', 'low'] as const;

/**
 * A row of `show functions`: name, all jobs, running, those that wait for a worker (high, normal, low),
 * those that wait for their time, workers, whether it is paused, its queue limits (high, normal, low).
 */
export function functionLine(function_: GearmanFunction): string {
  const { name, total, running, delayedTotal, workers, isPaused, limits } = function_;
  const due = [Priority.high, Priority.normal, Priority.low].map((priority) => function_.due(priority));
  return `${[showName(name), total, running, ...due, delayedTotal, workers.size, Number(isPaused), ...limits].join('\t')}\n`;
}

/**
 * A row of `show activity`: name, for how long its oldest waiting job could have been taken and how long its longest
 * running one runs (milliseconds), and since the job server began: jobs that came, that succeeded, that failed for good.
 */
export function activityLine(engine: Engine, function_: GearmanFunction): string {
  const times = [engine.oldestWaiting(function_), function_.longestRunning(engine.now)].map(Math.round);
  return `${[showName(function_.name), ...times, ...countsOf(function_)].join('\t')}\n`;
}

function countsOf(function_: GearmanFunction): [came: number, completed: number, failed: number] {
  // One that had no job yet has nothing that counts, and is given nothing by being asked.
  if (!function_.hasStats) return [0, 0, 0];
  const { foreground, background, fromSchedule, fromHttp, replayed, completed, failed, buried } = function_.stats;
  return [foreground + background + fromSchedule + fromHttp + replayed, completed, failed + buried];
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

/**
 * Handle, whether it runs, priority, whether it is a background job, for how long it runs or could have been taken
 * (milliseconds), lost workers, retries, progress (two numbers), and what its worker calls itself.
 */
function jobLine(engine: Engine, job: Job): string {
  const isRunning = job.state === 'running';
  const age = Math.round(elapsed(isRunning ? job.since : job.readySince, engine.now));
  const progress = [job.numerator, job.denominator].map(Number).map((number) => (Number.isFinite(number) ? number : 0));
  const columns = [
    showName(engine.handleOf(job)),
    Number(isRunning),
    PRIORITY_NAMES[job.priority],
    Number(job.isBackground),
    age,
    job.losses,
    job.attempts,
    ...progress,
    showName(job.worker?.clientId ?? '-'),
  ];
  return `${columns.join('\t')}\n`;
}
