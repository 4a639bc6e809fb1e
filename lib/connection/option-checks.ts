import { InvalidOptionError } from './errors.js';

/** What a number option may be. */
export interface NumberRange {
  min: number;
  max?: number;
  /** Default true. */
  whole?: boolean;
  /** What it counts, for the message: `milliseconds`. */
  unit?: string;
}

/** The value of a number option, or its default. Throws an InvalidOptionError that says what is allowed. */
export function numberOption(option: string, value: number | undefined, fallback: number, range: NumberRange): number {
  if (value === undefined) return fallback;
  const { min, max = Infinity, whole = true, unit } = range;
  const isKind = typeof value === 'number' && (whole ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (isKind && value >= min && value <= max) return value;
  const kind = `${whole ? 'a whole number' : 'a number'}${unit ? ` of ${unit}` : ''}`;
  const bounds = max === Infinity ? `of at least ${min}` : `from ${min} to ${max}`;
  throw new InvalidOptionError(option, `must be ${kind} ${bounds}, not ${shown(value)}`);
}

/** The value of an option with a few allowed words, or its default. */
export function wordOption<Word extends string>(
  option: string,
  value: Word | undefined,
  fallback: Word,
  allowed: readonly Word[],
): Word {
  if (value === undefined) return fallback;
  if (allowed.includes(value)) return value;
  throw new InvalidOptionError(option, `must be ${allowed.map(shown).join(', ')}, not ${shown(value)}`);
}

/** A value as a message shows it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : String(value);
}

/** Timers of Node hold no more than 31 bits: a longer wait would fire at once. */
export const LONGEST_TIMEOUT = 2 ** 31 - 1;
