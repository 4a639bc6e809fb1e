import {
  BOOLEAN,
  checkNames,
  checkOption,
  InvalidOptionError,
  number,
  wholeNumber,
  type OptionRule,
} from '../../ground/index.js';

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
    /** The part of each wait that is random, 0 to 1, so that jobs that failed together do not come back together. Default 0.2. */
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
  // Not `Infinity` times no delay at all, which is NaN.
  const delay = initialDelay === 0 ? 0 : Math.min(initialDelay * factor ** attempts, longest);
  return Math.round(delay * (1 - jitter * chance));
}

const WAIT = wholeNumber(0, Infinity, 'milliseconds');
const RULES = { retries: wholeNumber(0), deadLetter: BOOLEAN };
const BACKOFF_RULES = { initialDelay: WAIT, factor: number(1), maxDelay: WAIT, jitter: number(0, 1) };

/** @throws InvalidOptionError for the first setting that is not allowed. */
export function validatePolicies(policies: FunctionPolicies): void {
  for (const [name, policy] of Object.entries(policies)) {
    const at = `policies['${name}']`;
    checkSettings(at, policy, RULES, ['retries', 'backoff', 'deadLetter']);
    const { backoff = {} } = policy;
    checkSettings(`${at}.backoff`, backoff, BACKOFF_RULES, Object.keys(BACKOFF_RULES));
    const { initialDelay = 0, maxDelay = Infinity } = backoff;
    if (maxDelay < initialDelay) {
      throw InvalidOptionError.notAllowed(
        `${at}.backoff.maxDelay`,
        maxDelay,
        `at least its initialDelay, ${initialDelay}`,
      );
    }
  }
}

/** Checks names as well: a misspelt setting must not mean the default. */
function checkSettings<Settings extends object>(
  option: string,
  settings: Settings,
  rules: { readonly [Name in keyof Settings]?: OptionRule },
  names: readonly string[],
): void {
  if (typeof settings !== 'object' || settings === null || Array.isArray(settings)) {
    throw InvalidOptionError.notAllowed(option, settings, `an object of ${names.join(', ')}`);
  }
  checkNames(settings, names, 'setting of a policy', `${option}.`);
  for (const [name, rule] of Object.entries(rules) as [keyof Settings & string, OptionRule][]) {
    checkOption(`${option}.${name}`, settings[name], rule);
  }
}
