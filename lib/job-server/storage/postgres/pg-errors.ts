import { StorageError } from '../storage-error.js';
import { withoutPassword } from './pg-options.js';

/**
 * The cure for what PostgreSQL refuses, by the beginning of its code; for anything else its own
 * words must be enough.
 */
const CURES: readonly (readonly [code: string, cure: string])[] = [
  ['42501', 'give its role that right: the guide to a fleet has the least it needs'],
  ['42P01', 'its tables are gone: stop the job servers, restore them from a backup, or start with new ones'],
  ['3F000', 'its schema is gone: stop the job servers, restore it from a backup, or start with a new one'],
  ['53100', "make room on the database's disk"],
  ['53', 'give the database more of what it lacks; its own log has more'],
  ['58', "look at the database's own log, and at its disk"],
  ['XX', "look at the database's own log, and at its disk"],
];

/** PostgreSQL ended a statement that took too long; where it has no time to say so, `pg` does. */
const CANCELLED = '57014';
const NO_ANSWER =
  'a statement took longer than queryTimeout: it hangs, or waits for a lock or a synchronous standby (pg_stat_activity says which)';

/** Whether an error is that the database could not be reached, or what it did is not known. */
export function isLost(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'GEARMAN_STORAGE_UNREACHABLE';
}

/**
 * Whether PostgreSQL refused a statement; not where it is ending (57P..), where the connection
 * failed (08...) or where it can only be read (25006).
 */
export function isRefusal(error: unknown): boolean {
  const { code, severity } = error as { readonly code?: unknown; readonly severity?: unknown };
  // The system's errors have codes as well, EPIPE for one.
  return (
    typeof severity === 'string' &&
    typeof code === 'string' &&
    /^[0-9A-Z]{5}$/.test(code) &&
    !/^(57P|08|25006)/.test(code)
  );
}

/** A statement that PostgreSQL refused: it has not happened. */
export function refused(error: unknown, url: string): StorageError {
  const { code } = error as { readonly code: string };
  if (code === CANCELLED) return unreachable(error, url);
  const [, cure] = CURES.find(([start]) => code.startsWith(start)) ?? [];
  return new StorageError(
    'GEARMAN_STORAGE_REFUSED',
    `the database ${withoutPassword(url)} refuses: ${reasonOf(error)} (${code})${cure ? `: ${cure}` : ''}`,
    { cause: error },
  );
}

/** A statement of which nobody knows whether it has happened, or a database that cannot be spoken to. */
export function unreachable(error: unknown, url: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_UNREACHABLE',
    `the database ${withoutPassword(url)} cannot be reached or written: ${reasonOf(error)}: check the database, and the way to it`,
    { cause: error },
  );
}

/** Why none of several hosts will do. */
export function noneOf(problems: readonly (readonly [host: string, error: unknown])[]): unknown {
  const [first] = problems;
  if (problems.length === 1) return first![1];
  return new Error(problems.map(([host, error]) => `${host}: ${reasonOf(error)}`).join('; '));
}

/** What an error says; where a host's name has several addresses, its parts say it. */
function reasonOf(error: unknown): string {
  const { message, errors, code } = error as AggregateError & { readonly code?: unknown };
  if (message === 'Query read timeout' || code === CANCELLED) return NO_ANSWER;
  return message !== '' || !Array.isArray(errors) ? message : errors.map(reasonOf).join('; ');
}
