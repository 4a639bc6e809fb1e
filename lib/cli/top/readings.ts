import type { FunctionActivity, FunctionOverview } from '../../driver/index.js';

/** What a job server told at one moment. */
export interface Reading {
  /** When it told, in milliseconds of a clock that nobody sets. */
  readonly at: number;
  readonly functions: readonly FunctionOverview[];
  /** Ages and counters by function; undefined where the job server does not tell. */
  readonly activity: ReadonlyMap<string, FunctionActivity> | undefined;
}

/** How many readings rates are made of: over one alone they would jump. */
const WINDOW = 5;

/** One job server and what it told last. */
export interface Watched {
  readonly server: string;
  /** The last readings, the oldest first; none while it does not answer. */
  readonly readings: readonly Reading[];
  /** Why it does not answer. */
  readonly problem: string | undefined;
}

/** A job server that was not asked yet. */
export function unread(server: string): Watched {
  return { server, readings: [], problem: undefined };
}

/** The same job server after it has told more. */
export function withReading({ server, readings }: Watched, reading: Reading): Watched {
  return { server, readings: [...readings.slice(1 - WINDOW), reading], problem: undefined };
}

/** The same job server when it does not answer: what it told before is no longer so. */
export function withProblem({ server }: Watched, problem: string): Watched {
  return { server, readings: [], problem };
}

/** What counters say happened a second. */
export interface Rates {
  readonly in: number;
  readonly done: number;
  readonly failed: number;
}

/** Rates between two readings; undefined where one is missing, or the job server began anew between them. */
export function ratesBetween(
  before: FunctionActivity | undefined,
  after: FunctionActivity | undefined,
  milliseconds: number,
): Rates | undefined {
  if (!before || !after || milliseconds <= 0) return undefined;
  const submitted = after.submitted - before.submitted;
  const completed = after.completed - before.completed;
  const failed = after.failed - before.failed;
  if (submitted < 0 || completed < 0 || failed < 0) return undefined;
  const seconds = milliseconds / 1_000;
  return { in: submitted / seconds, done: (completed + failed) / seconds, failed: failed / seconds };
}
