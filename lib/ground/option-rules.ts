import { InvalidOptionError } from './invalid-option-error.js';
import { MAX_TIMER_DELAY } from './limits.js';

/** What an option's value must be: a test, and the words that a message puts behind "must be". */
export interface OptionRule {
  readonly test: (value: unknown) => boolean;
  readonly allowed: string;
}

/** True or false. */
export const BOOLEAN: OptionRule = { test: (value) => typeof value === 'boolean', allowed: 'true or false' };

/** Anything that can be called. */
export const FUNCTION: OptionRule = { test: (value) => typeof value === 'function', allowed: 'a function' };

/** A whole number within bounds, both included; `unit` is what it counts, as `bytes`. */
export function wholeNumber(least: number, most = Infinity, unit?: string): OptionRule {
  return {
    test: (value) => Number.isSafeInteger(value) && isWithin(value as number, least, most),
    allowed: `a whole number${unit ? ` of ${unit}` : ''} ${bounds(least, most)}`,
  };
}

/** A number within bounds, both included; `unit` is what it counts. */
export function number(least: number, most = Infinity, unit?: string): OptionRule {
  return {
    test: (value) => Number.isFinite(value) && isWithin(value as number, least, most),
    allowed: `a number${unit ? ` of ${unit}` : ''} ${bounds(least, most)}`,
  };
}

/** A whole number of milliseconds that a timer of Node can count. */
export function duration(least = 0): OptionRule {
  return wholeNumber(least, MAX_TIMER_DELAY, 'milliseconds');
}

/** One of these texts. */
export function oneOf(...words: readonly string[]): OptionRule {
  const quoted = words.map((word) => `'${word}'`);
  const last = quoted.pop();
  return {
    test: (value) => words.includes(value as string),
    allowed: quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : last!,
  };
}

/** Refuses a value that is given and not allowed. @throws InvalidOptionError */
export function checkOption(option: string, value: unknown, rule: OptionRule): void {
  if (value !== undefined && !rule.test(value)) throw InvalidOptionError.notAllowed(option, value, rule.allowed);
}

/** The value of an option, or its default. @throws InvalidOptionError */
export function optionOr<Value>(option: string, value: Value | undefined, fallback: Value, rule: OptionRule): Value {
  checkOption(option, value, rule);
  return value === undefined ? fallback : value;
}

/**
 * Refuses an option that does not exist: a misspelt one would silently leave the default.
 *
 * @param kind what the name should have been, as `option of the job server`.
 * @param path what stands before the option's name in the message.
 * @throws InvalidOptionError
 */
export function checkNames(options: object, known: readonly string[], kind: string, path = ''): void {
  const unknown = Object.keys(options).find((option) => !known.includes(option));
  if (unknown !== undefined) throw InvalidOptionError.unknown(unknown, kind, known, path);
}

function isWithin(value: number, least: number, most: number): boolean {
  return value >= least && value <= most;
}

function bounds(least: number, most: number): string {
  return most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
}
