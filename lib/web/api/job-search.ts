import type { JobQuery } from '../../job-server/operations/index.js';
import { exactText, PRIORITY_NAMES } from '../../protocol/index.js';
import { invalid } from '../problem.js';
import { nameOfBase64 } from './call.js';

const STATES = ['waiting', 'delayed', 'running'];
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A word, perhaps with `name:"..."`; white space within quotes belongs to it. */
const WORD = /(?:[^\s"]|"[^"]*")+/g;

/**
 * Reads a person's search for jobs: `handle:`, `unique:`, `function:`,
 * `function64:` for one whose name is no UTF-8, `state:`, `priority:`, `age>5m`, `attempts>2`, `hex:00ff`, a value at a path
 * in JSON as `user.id:42`; anything else is a text in the workload.
 *
 * @throws Problem naming the word that is not understood.
 */
export function readJobSearch(text: string): JobQuery {
  const query: JobQuery = {};
  const free: string[] = [];
  for (const word of text.match(WORD) ?? []) {
    if (!readWord(query, word)) free.push(word.replaceAll('"', ''));
  }
  if (free.length > 0) query.contains = free.join(' ');
  return query;
}

function readWord(query: JobQuery, word: string): boolean {
  const over = /^(age|attempts)>(.+)$/.exec(word);
  if (over?.[1] === 'age') query.olderThan = durationOf(over[2]!);
  else if (over) query.attemptsOver = wholeOf('attempts', over[2]!);
  if (over) return true;
  const [, name, raw = ''] = /^([^":\s]+):(.*)$/s.exec(word) ?? [];
  if (name === undefined || raw === '') return false;
  readNamed(query, name, raw);
  return true;
}

function readNamed(query: JobQuery, name: string, raw: string): void {
  const value = raw.replaceAll('"', '');
  switch (name) {
    case 'handle':
    case 'unique':
    case 'function':
      query[name] = value;
      break;
    case 'function64':
      query.function = exactText(nameOfBase64(value, 'q: function64'));
      break;
    case 'state':
      query.state = oneOf(name, value, STATES) as JobQuery['state'] & string;
      break;
    case 'priority':
      query.priority = oneOf(name, value, PRIORITY_NAMES) as JobQuery['priority'] & string;
      break;
    case 'hex':
      if (!/^([0-9a-f]{2})+$/i.test(value)) throw invalid('q: hex', 'pairs of hexadecimal digits');
      query.contains = Buffer.from(value, 'hex');
      break;
    default:
      query.json = { path: name.split('.'), value: jsonValue(raw) };
  }
}

function oneOf(name: string, value: string, allowed: readonly string[]): string {
  if (!allowed.includes(value)) throw invalid(`q: ${name}`, `one of ${allowed.join(', ')}`);
  return value;
}

function wholeOf(name: string, value: string): number {
  if (!/^\d+$/.test(value)) throw invalid(`q: ${name}`, 'a whole number');
  return Number(value);
}

function durationOf(value: string): number {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(value) ?? [];
  if (number === undefined) throw invalid('q: age', 'a time such as 500ms, 30s, 5m, 2h or 1d');
  return Number(number) * UNITS[unit]!;
}

/** Reads `42`, `true`, `null` and `"42"` as JSON, anything else as text. */
function jsonValue(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return raw;
  }
}
