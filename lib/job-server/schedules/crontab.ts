import { InvalidOptionError } from '../../ground/index.js';
import type { ScheduleOptions, ScheduleTable } from './schedule.js';

/** The settings that a line may have behind its function, and how they are read. */
const SETTINGS: Readonly<Record<string, (value: string) => unknown>> = {
  id: (value) => value,
  missed: (value) => value,
  missedWithin: Number,
  overlap: (value) => value,
  priority: (value) => value,
  jitter: Number,
  startAt: (value) => value,
  endAt: (value) => value,
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Reads the text of a crontab: `CRON [CRON_TZ=ZONE] FUNCTION [?id=ID&missed=skip] WORKLOAD`,
 * a line each. `CRON` has five fields, six with seconds in front, or is a word
 * such as `@daily` or `@every 30s`. What stands behind the function is the
 * workload, up to the end of the line. `#` begins a comment; a line
 * `CRON_TZ=ZONE` sets the zone of those behind it. A line without an id has its
 * function for one.
 *
 * @throws InvalidOptionError naming the line.
 */
export function readCrontab(text: string): ScheduleTable {
  const table: Record<string, ScheduleOptions> = {};
  let timeZone = 'UTC';
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.replace(/\r$/, '').trimStart();
    if (line === '' || line.startsWith('#')) continue;
    const [, zone] = /^CRON_TZ=(\S+)\s*$/.exec(line) ?? [];
    if (zone !== undefined) {
      timeZone = zone;
      continue;
    }
    const { id, options } = readLine(line, timeZone, `line ${index + 1} of the crontab`);
    if (Object.hasOwn(table, id)) {
      const cure = 'give one of them another id, as FUNCTION ?id=other';
      throw new InvalidOptionError(`line ${index + 1} of the crontab`, `is the second with the id ${id}: ${cure}`);
    }
    table[id] = options;
  }
  return table;
}

const FORM = 'a line as `0 3 * * * [CRON_TZ=Europe/Berlin] FUNCTION [?id=ID&missed=skip] WORKLOAD`';

function readLine(line: string, fileZone: string, place: string): { id: string; options: ScheduleOptions } {
  const words = new Words(line, place);
  const cron = pattern(words);
  const zone = /^CRON_TZ=(.+)$/.exec(words.next)?.[1];
  if (zone !== undefined) words.take();
  const name = words.take();
  const { id = name, ...others } = words.next.startsWith('?') ? readSettings(words.take().slice(1), place) : {};
  const workload = words.rest;
  const rhythm = cron.startsWith('@every ') ? { every: everyOf(cron, place) } : { cron, timeZone: zone ?? fileZone };
  return { id: String(id), options: { function: name, ...rhythm, ...others, ...(workload && { workload }) } };
}

/** A field of a pattern; a function whose name looks like one cannot stand in a crontab. */
const FIELD = /^(?:[\d*?LW,/#-]|sun|mon|tue|wed|thu|fri|sat)+$/i;

function pattern(words: Words): string {
  const first = words.take();
  if (first === '@every') return `${first} ${words.take()}`;
  if (first.startsWith('@')) return first;
  const fields = [first];
  while (fields.length < 5) fields.push(words.take());
  if (FIELD.test(words.next)) fields.push(words.take());
  return fields.join(' ');
}

/** A line, word by word. */
class Words {
  constructor(
    /** What is left of it. */
    public rest: string,
    private readonly place: string,
  ) {}

  /** The next word, which stays; empty where there is none. */
  get next(): string {
    return /^\s*(\S*)/.exec(this.rest)![1]!;
  }

  /** Takes the next word, and one blank behind it. */
  take(): string {
    const { next } = this;
    if (next === '') throw InvalidOptionError.notAllowed(this.place, this.rest, FORM);
    this.rest = this.rest.trimStart().slice(next.length).replace(/^\s/, '');
    return next;
  }
}

function readSettings(text: string, place: string): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    if (!Object.hasOwn(SETTINGS, name)) {
      throw InvalidOptionError.unknown(`${place}: ${name}`, 'setting of a schedule', Object.keys(SETTINGS));
    }
    settings[name] = SETTINGS[name]!(value);
  }
  return settings;
}

function everyOf(word: string, place: string): number {
  const [, number, unit] = /^@every (\d+)([smhd])$/.exec(word) ?? [];
  if (number === undefined) throw InvalidOptionError.notAllowed(place, word, '@every 30s, 5m, 2h or 1d');
  return Number(number) * UNITS[unit!]!;
}
