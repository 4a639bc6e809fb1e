import type { FunctionActivity, FunctionOverview } from '../../driver/index.js';

/** The answer of a job server at one moment. */
export interface Reading {
  /** When it answered, in milliseconds of a clock that only goes forward. */
  readonly at: number;
  readonly functions: readonly FunctionOverview[];
  /** Ages and counters by function; undefined if the job server does not tell. */
  readonly activity: ReadonlyMap<string, FunctionActivity> | undefined;
}

/** How many readings rates are computed from: with only two, rates would jump. */
const WINDOW = 5;

/** A job server and its last answers. */
export interface Watched {
  readonly server: string;
  /** The last readings, oldest first; empty while it does not answer. */
  readonly readings: readonly Reading[];
  /** Why it does not answer. */
  readonly problem: string | undefined;
}

/** A job server that has not been asked yet. */
export function unread(server: string): Watched {
  return { server, readings: [], problem: undefined };
}

/** The same job server after another answer. */
export function withReading({ server, readings }: Watched, reading: Reading): Watched {
  return { server, readings: [...readings.slice(1 - WINDOW), reading], problem: undefined };
}

/** The same job server when it does not answer; its former answers are dropped, because they may be wrong now. */
export function withProblem({ server }: Watched, problem: string): Watched {
  return { server, readings: [], problem };
}

/** How often a second something happened, by the counters. */
export interface Rates {
  readonly in: number;
  readonly done: number;
  readonly failed: number;
}

/** The rates between two readings; undefined if one is missing, or if the job server was restarted between them. */
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
