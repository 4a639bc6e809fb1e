import { MAX_TIMER_DELAY } from '../../ground/index.js';
import { ValueProblem, type ValueReader } from './option.js';

/** Reads any text that is not empty. */
export function text(value: string): string {
  if (value === '') throw new ValueProblem('a text, not empty');
  return value;
}

/** Makes a reader of whole numbers. */
export function whole(least: number, most = Number.MAX_SAFE_INTEGER): (value: string) => number {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  return (value) => {
    const number = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
    if (!Number.isSafeInteger(number) || number < least || number > most) {
      throw new ValueProblem(`a whole number ${range}`);
    }
    return number;
  };
}

/** Reads a TCP port. */
export const port = whole(0, 65_535);

/** Makes a reader that accepts one of several words. */
export function oneOf<Word extends string>(...words: readonly Word[]): ValueReader<Word> {
  const read = (value: string): Word => {
    const word = words.find((candidate) => candidate === value);
    if (word === undefined) throw new ValueProblem(`${words.slice(0, -1).join(', ')} or ${words.at(-1)}`);
    return word;
  };
  return Object.assign(read, { words });
}

const MILLISECONDS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Reads a duration with its unit, `10s`, `500ms`, `2m`; 0 needs no unit. Returns milliseconds. */
export function duration(value: string): number {
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value) ?? [];
  const time = Number(number) * MILLISECONDS[unit]!;
  const hasUnit = /[a-z]$/.test(value) || time === 0;
  if (number === undefined || !hasUnit || time > MAX_TIMER_DELAY) {
    throw new ValueProblem('a time with its unit: 500ms, 10s, 2m, 1h');
  }
  return Math.round(time);
}

const BYTES: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

/** Reads a number of bytes: `4096`, `64M`, `1G`. */
export function byteCount(value: string): number {
  const [, number, unit] = /^(\d+)([kmg]?)(?:i?b)?$/i.exec(value) ?? [];
  const bytes = Number(number) * BYTES[unit?.toLowerCase() ?? '']!;
  if (!Number.isSafeInteger(bytes) || bytes < 1) throw new ValueProblem('a number of bytes: 4096, 64K, 64M, 1G');
  return bytes;
}
