import { InvalidOptionError } from '../invalid-option-error.js';

/** What becomes of a background job of a function that failed, or whose worker was lost. Needs a storage. */
export interface FunctionPolicy {
  /** How often it is tried again. Default 3. */
  retries?: number;
  /** How long it waits before it is tried again. */
  backoff?: {
    /** Before the first retry, in milliseconds. Default 1,000. */
    initialDelay?: number;
    /** How much longer each further wait is. Default 2. */
    factor?: number;
    /** The longest wait, in milliseconds. Default 600,000, or `initialDelay` where that is longer. */
    maxDelay?: number;
    /** Which part of each wait is left to chance, 0 to 1, so that jobs that failed together do not come back together. Default 0.2. */
    jitter?: number;
  };
  /** Whether a job out of retries is kept among the dead letters; otherwise it is gone. Default true. */
  deadLetter?: boolean;
}

/** Policies by function; `*` stands for all that are not named. */
export type FunctionPolicies = Readonly<Record<string, FunctionPolicy>>;

const DEFAULT_MAX_DELAY = 600_000;

/** How often a job is tried again where its policy does not say. */
export const DEFAULT_RETRIES = 3;

/**
 * How long a job waits before it runs again, in milliseconds.
 *
 * @param attempts how often it was tried again before.
 * @param chance from 0 to 1, 1 excluded; as `Math.random` gives it.
 */
export function retryDelay({ backoff }: FunctionPolicy, attempts: number, chance: number): number {
  const { initialDelay = 1_000, factor = 2, jitter = 0.2 } = backoff ?? {};
  const longest = backoff?.maxDelay ?? Math.max(DEFAULT_MAX_DELAY, initialDelay);
  const delay = Math.min(initialDelay * factor ** attempts, longest);
  return Math.round(delay * (1 - jitter * chance));
}

const SETTINGS = ['retries', 'backoff', 'deadLetter'];
const BACKOFF_SETTINGS = ['initialDelay', 'factor', 'maxDelay', 'jitter'];

/** @throws InvalidOptionError for the first setting that cannot be meant. */
export function validatePolicies(policies: FunctionPolicies): void {
  for (const [name, policy] of Object.entries(policies)) {
    const at = `policies['${name}']`;
    checkNames(at, policy, SETTINGS);
    const { retries, backoff = {}, deadLetter } = policy;
    check(`${at}.retries`, retries, isWhole, 'a whole number from 0');
    check(`${at}.deadLetter`, deadLetter, (value) => typeof value === 'boolean', 'true or false');
    checkNames(`${at}.backoff`, backoff, BACKOFF_SETTINGS);
    const { initialDelay, factor, maxDelay, jitter } = backoff;
    check(`${at}.backoff.initialDelay`, initialDelay, isWhole, 'a whole number of milliseconds from 0');
    check(`${at}.backoff.maxDelay`, maxDelay, isWhole, 'a whole number of milliseconds from 0');
    check(
      `${at}.backoff.factor`,
      factor,
      (value) => Number.isFinite(value) && (value as number) >= 1,
      'a number from 1',
    );
    check(`${at}.backoff.jitter`, jitter, isPart, 'a number from 0 to 1');
    const isLongest = (value: unknown): boolean => (value as number) >= (initialDelay ?? 0);
    check(`${at}.backoff.maxDelay`, maxDelay, isLongest, `at least its initialDelay, ${initialDelay}`);
  }
}

/** A misspelt setting must not be taken for a default. */
function checkNames(option: string, value: unknown, names: readonly string[]): void {
  const allowed = `an object of ${names.join(', ')}`;
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isObject) throw InvalidOptionError.notAllowed(option, value, allowed);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new InvalidOptionError(`${option}.${unknown}`, `no setting of it (${names.join(', ')})`);
}

function check(option: string, value: unknown, isAllowed: (value: unknown) => boolean, allowed: string): void {
  if (value !== undefined && !isAllowed(value)) throw InvalidOptionError.notAllowed(option, value, allowed);
}

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isPart(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
