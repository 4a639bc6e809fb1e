import type { FunctionActivity, FunctionOverview } from '../../driver/index.js';
import { showText } from '../../protocol/index.js';
import { ratesBetween, type Watched } from './readings.js';

/** What can be wrong with a function, the worst first. */
export const TROUBLES = ['no workers', 'stalled', 'paused', 'failing', 'full'] as const;

export type Trouble = (typeof TROUBLES)[number];

/** A function of a job server. Values that the job server does not tell are undefined. */
export interface Row {
  readonly server: string;
  /** The exact name. */
  readonly function: string;
  /** The name, escaped. */
  readonly name: string;
  readonly trouble: Trouble | undefined;
  readonly waiting: number;
  readonly running: number;
  readonly delayed: number | undefined;
  readonly workers: number;
  /** How long ago the oldest waiting job became ready to run, in milliseconds; undefined also if none waits. */
  readonly oldest: number | undefined;
  /** How long the longest running job has been running, in milliseconds; undefined also if none runs. */
  readonly longest: number | undefined;
  /** Jobs submitted a second. */
  readonly in: number | undefined;
  /** Jobs ended a second. */
  readonly done: number | undefined;
  /** Of these, the jobs that failed for good. */
  readonly failed: number | undefined;
  readonly isPaused: boolean | undefined;
}

/** The sort orders of rows; `trouble` puts first what needs attention. */
export const SORTS = [
  'trouble',
  'name',
  'waiting',
  'running',
  'workers',
  'oldest',
  'in',
  'done',
  'failed',
  'delayed',
  'longest',
] as const;

export type Sort = (typeof SORTS)[number];

/** After how long a running job counts as stuck if no job ends, in milliseconds; the alert `GearmanStalled` has the same. */
const STALLED = 600_000;

/** All functions of all job servers that answer. */
export function rowsOf(watched: readonly Watched[]): Row[] {
  return watched.flatMap(({ server, readings }) => {
    const last = readings.at(-1);
    const first = readings[0];
    if (!last || !first) return [];
    return last.functions.map((overview) => {
      const activity = last.activity?.get(overview.function);
      const rates = ratesBetween(first.activity?.get(overview.function), activity, last.at - first.at);
      return rowOf(server, overview, activity, rates);
    });
  });
}

function rowOf(
  server: string,
  overview: FunctionOverview,
  activity: FunctionActivity | undefined,
  rates: ReturnType<typeof ratesBetween>,
): Row {
  const { function: name, high, normal, low, running, delayed, workers, isPaused } = overview;
  const row = {
    server,
    function: name,
    name: showText(name),
    waiting: high + normal + low,
    running,
    delayed,
    workers,
    oldest: activity && high + normal + low > 0 ? activity.oldestWaiting : undefined,
    longest: activity && running > 0 ? activity.longestRunning : undefined,
    in: rates?.in,
    done: rates?.done,
    failed: rates?.failed,
    isPaused,
  };
  return { ...row, trouble: troubleOf(row, overview) };
}

/** The worst trouble of a function. */
function troubleOf(
  { waiting, workers, longest, done, failed, isPaused }: Omit<Row, 'trouble'>,
  { limits, total }: FunctionOverview,
): Trouble | undefined {
  if (waiting > 0 && workers === 0) return 'no workers';
  if (longest !== undefined && longest > STALLED && done === 0) return 'stalled';
  if (isPaused) return 'paused';
  if (failed !== undefined && failed > 0) return 'failing';
  const isFull = limits && Object.values(limits).some((limit) => limit > 0 && total >= limit);
  return isFull ? 'full' : undefined;
}

/** The rows whose name contains a text, in upper or lower case. */
export function filtered(rows: readonly Row[], filter: string): Row[] {
  const text = filter.toLowerCase();
  return rows.filter(({ name }) => name.toLowerCase().includes(text));
}

/** The rows in order: large numbers first, names alphabetically, unknown values last. */
export function sorted(rows: readonly Row[], sort: Sort, isReversed: boolean): Row[] {
  const sign = isReversed ? -1 : 1;
  return [...rows].sort(
    (one, other) => sign * compared(one, other, sort) || unknownLast(one, other, sort) || byName(one, other),
  );
}

function compared(one: Row, other: Row, sort: Sort): number {
  if (sort === 'trouble') return rank(one) - rank(other) || other.waiting - one.waiting;
  if (sort === 'name') return byName(one, other);
  const [value, otherValue] = [one[sort], other[sort]];
  return value === undefined || otherValue === undefined ? 0 : otherValue - value;
}

function rank({ trouble }: Row): number {
  return trouble === undefined ? TROUBLES.length : TROUBLES.indexOf(trouble);
}

function unknownLast(one: Row, other: Row, sort: Sort): number {
  if (sort === 'trouble' || sort === 'name') return 0;
  return Number(one[sort] === undefined) - Number(other[sort] === undefined);
}

/** Compares names by their code units: sorting by a language's rules is slow, and differs between machines. */
function byName(one: Row, other: Row): number {
  if (one.name !== other.name) return one.name < other.name ? -1 : 1;
  return one.server < other.server ? -1 : one.server > other.server ? 1 : 0;
}
