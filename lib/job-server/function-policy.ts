import { InvalidOptionError } from './invalid-option-error.js';

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
    /** The longest wait, in milliseconds. Default 600,000. */
    maxDelay?: number;
    /** Which part of each wait is left to chance, 0 to 1, so that jobs that failed together do not come back together. Default 0.2. */
    jitter?: number;
  };
  /** Whether a job out of retries is kept among the dead letters; otherwise it is gone. Default true. */
  deadLetter?: boolean;
}

/** Policies by function; `*` stands for all that are not named. */
export type FunctionPolicies = Readonly<Record<string, FunctionPolicy>>;

const DEFAULTS = { initialDelay: 1_000, factor: 2, maxDelay: 600_000, jitter: 0.2 };

/** How often a job is tried again where its policy does not say. */
export const DEFAULT_RETRIES = 3;

/**
 * How long a job waits before it runs again, in milliseconds.
 *
 * @param attempts how often it was tried again before.
 * @param chance from 0 to 1, 1 excluded; as `Math.random` gives it.
 */
export function retryDelay({ backoff }: FunctionPolicy, attempts: number, chance: number): number {
  const { initialDelay, factor, maxDelay, jitter } = { ...DEFAULTS, ...backoff };
  const delay = Math.min(initialDelay * factor ** attempts, maxDelay);
  return Math.round(delay * (1 - jitter * chance));
}

/** @throws InvalidOptionError for the first setting that cannot be meant. */
export function validatePolicies(policies: FunctionPolicies): void {
  for (const [name, { retries, backoff = {}, deadLetter }] of Object.entries(policies)) {
    const at = `policies['${name}']`;
    check(`${at}.retries`, retries, isWhole, 'a whole number from 0');
    check(`${at}.deadLetter`, deadLetter, (value) => typeof value === 'boolean', 'true or false');
    check(`${at}.backoff.initialDelay`, backoff.initialDelay, isWhole, 'a whole number of milliseconds from 0');
    check(`${at}.backoff.maxDelay`, backoff.maxDelay, isWhole, 'a whole number of milliseconds from 0');
    check(`${at}.backoff.factor`, backoff.factor, (value) => (value as number) >= 1, 'a number from 1');
    check(`${at}.backoff.jitter`, backoff.jitter, (value) => isPart(value), 'a number from 0 to 1');
  }
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
