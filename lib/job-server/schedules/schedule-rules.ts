import {
  BOOLEAN,
  checkNames,
  checkOption,
  InvalidOptionError,
  oneOf,
  wholeNumber,
  MAX_FUNCTION_BYTES,
} from '../../ground/index.js';
import { PRIORITY_NAMES, toByteString } from '../../protocol/index.js';
import { CronTable } from './cron.js';
import type { Schedule, ScheduleOptions, ScheduleWorkload } from './schedule.js';

/** The longest id, in bytes: with `@` and the tick it is a unique, which has 64 in gearmand. */
export const MAX_ID_BYTES = 40;
/** The longest cron pattern, in characters. */
const MAX_CRON_LENGTH = 256;
const HOUR = 3_600_000;
/** The longest time, and the latest moment: what a Date can tell. */
const MAX_TIME = 8.64e15;
/** The longest that a job's time can be put off, in milliseconds: a year. */
const MAX_JITTER = 366 * 24 * HOUR;

const FIELDS: Readonly<Record<keyof ScheduleOptions, true>> = {
  function: true,
  cron: true,
  every: true,
  timeZone: true,
  workload: true,
  priority: true,
  missed: true,
  missedWithin: true,
  overlap: true,
  jitter: true,
  startAt: true,
  endAt: true,
  isPaused: true,
};

/**
 * Checks a schedule as it was written, and fills in the defaults.
 *
 * @param now milliseconds since 1970: one that has no tick after it is refused, unless its end has come.
 * @throws InvalidOptionError naming the field, as `schedules.nightly.cron`, and what is allowed.
 */
export function readSchedule(id: string, value: unknown, now: number, crons = new CronTable()): Schedule {
  checkId(id);
  const rules = new Rules(`schedules.${id}`);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw InvalidOptionError.notAllowed(rules.path, value, "an object, as { function: 'report', cron: '0 3 * * *' }");
  }
  const options = value as ScheduleOptions;
  checkNames(options, Object.keys(FIELDS), 'field of a schedule', `${rules.path}.`);
  const startAt = rules.moment('startAt', options.startAt, 0);
  const endAt = rules.moment('endAt', options.endAt, Infinity);
  rules.require('endAt', options.endAt, endAt >= startAt, 'a moment that is not before startAt');
  const schedule: Schedule = {
    id: toByteString(id),
    function: functionName(rules, options.function),
    ...rhythm(rules, options),
    timeZone: timeZone(rules, crons, options.timeZone),
    workload: bytesOf(rules, options.workload),
    priority: PRIORITY_NAMES.indexOf(rules.oneOf('priority', options.priority, PRIORITY_NAMES, 'normal')) as 0 | 1 | 2,
    missed: rules.oneOf('missed', options.missed, ['once', 'skip', 'all'], 'once'),
    missedWithin: rules.whole('missedWithin', options.missedWithin, 0, MAX_TIME, HOUR),
    overlap: rules.oneOf('overlap', options.overlap, ['skip', 'queue'], 'skip'),
    jitter: rules.whole('jitter', options.jitter, 0, MAX_JITTER, 0),
    startAt,
    endAt,
    isPaused: flag(rules, options.isPaused),
  };
  if (schedule.cron !== undefined) checkCron(rules, schedule.cron, schedule, now, crons);
  return schedule;
}

/** @throws InvalidOptionError for what cannot name a schedule. */
export function checkId(id: unknown): asserts id is string {
  const isId = typeof id === 'string' && /^[^\s\p{Cc}\p{Z}]+$/u.test(id) && Buffer.byteLength(id) <= MAX_ID_BYTES;
  if (!isId) {
    const allowed = `a text of 1 to ${MAX_ID_BYTES} bytes without blanks and control characters`;
    throw InvalidOptionError.notAllowed('id', id, allowed);
  }
}

function checkCron(rules: Rules, pattern: string, schedule: Schedule, now: number, crons: CronTable): void {
  let next: number;
  try {
    next = crons.next({ cron: pattern, timeZone: schedule.timeZone }, Math.max(now, schedule.startAt - 1));
  } catch (error) {
    if (error instanceof InvalidOptionError) throw error;
    const reason = (error as Error).message.replace(/^\w+: /, '');
    throw InvalidOptionError.notAllowed(`${rules.path}.cron`, pattern, `a pattern of cron (${reason})`);
  }
  const never = 'a pattern that some date matches; this one never fires';
  rules.require('cron', pattern, next !== Infinity, never);
}

function rhythm(rules: Rules, { cron, every }: ScheduleOptions): Pick<Schedule, 'cron' | 'every'> {
  if ((cron === undefined) === (every === undefined)) {
    throw new InvalidOptionError(
      `${rules.path}.cron`,
      'must be given, or `every` must: one of the two says when its jobs run',
    );
  }
  if (every !== undefined) return { every: rules.whole('every', every, 1_000, MAX_TIME, 0) };
  const isText = typeof cron === 'string' && cron.trim() !== '' && cron.length <= MAX_CRON_LENGTH;
  rules.require('cron', cron, isText, `a pattern of cron, at most ${MAX_CRON_LENGTH} characters`);
  // croner accepts a date as well, which does not recur.
  const isDate = /^\s*\d{4}-/.test(cron!);
  rules.require('cron', cron, !isDate, 'a pattern of cron, not a date: a job with a time is no schedule');
  return { cron: cron!.trim() };
}

function functionName(rules: Rules, name: unknown): string {
  const isName = typeof name === 'string' && name !== '' && !name.includes('\0');
  const isShort = isName && Buffer.byteLength(name) <= MAX_FUNCTION_BYTES;
  rules.require('function', name, isShort, `the name of a function, 1 to ${MAX_FUNCTION_BYTES} bytes without NUL`);
  return toByteString(name as string);
}

function timeZone(rules: Rules, crons: CronTable, zone: unknown = 'UTC'): string {
  const isZone = typeof zone === 'string' && zone !== '' && crons.hasZone(zone);
  rules.require('timeZone', zone, isZone, "an IANA time zone, such as 'UTC' or 'Europe/Berlin'");
  return zone as string;
}

function bytesOf(rules: Rules, workload: unknown = ''): Uint8Array {
  if (typeof workload === 'string') return Buffer.from(workload);
  if (workload instanceof Uint8Array) return workload;
  const keys = typeof workload === 'object' && workload !== null ? Object.keys(workload) : [];
  const { json, base64 } = (workload ?? {}) as { json?: unknown; base64?: unknown };
  if (keys.length === 1 && keys[0] === 'json') {
    const text = JSON.stringify(json) as string | undefined;
    if (text !== undefined) return Buffer.from(text);
  }
  if (keys.length === 1 && typeof base64 === 'string') {
    const bytes = Buffer.from(base64, 'base64');
    if (bytes.toString('base64') === base64) return bytes;
  }
  const allowed = 'a text, bytes, { json: a value } or { base64: text }';
  throw InvalidOptionError.notAllowed(`${rules.path}.workload`, workload, allowed);
}

function flag(rules: Rules, value: unknown = false): boolean {
  checkOption(`${rules.path}.isPaused`, value, BOOLEAN);
  return value as boolean;
}

/** What fields may be; `path` names the schedule in messages. */
class Rules {
  constructor(readonly path: string) {}

  require(field: string, value: unknown, isAllowed: boolean, allowed: string): void {
    if (!isAllowed) throw InvalidOptionError.notAllowed(`${this.path}.${field}`, value, allowed);
  }

  whole(field: string, value: unknown, least: number, most: number, otherwise: number): number {
    if (value === undefined) return otherwise;
    checkOption(`${this.path}.${field}`, value, wholeNumber(least, most, 'milliseconds'));
    return value as number;
  }

  oneOf<Word extends string>(field: string, value: unknown, words: readonly Word[], otherwise: Word): Word {
    if (value === undefined) return otherwise;
    checkOption(`${this.path}.${field}`, value, oneOf(...words));
    return value as Word;
  }

  moment(field: string, value: unknown, otherwise: number): number {
    if (value === undefined) return otherwise;
    const isTime = typeof value === 'number' || typeof value === 'string' || value instanceof Date;
    const time = isTime ? new Date(value).getTime() : NaN;
    this.require(field, value, time >= 0, 'a Date, a text such as 2027-01-31T08:00:00Z, or milliseconds since 1970');
    return time;
  }
}

/** A schedule as JSON, to be kept or sent, with the defaults filled in. */
export function writtenSchedule(schedule: Schedule): ScheduleOptions {
  const { cron, every, workload, startAt, endAt, isPaused } = schedule;
  const text = Buffer.from(workload).toString();
  const isText = Buffer.from(text).equals(workload);
  return {
    function: Buffer.from(schedule.function, 'latin1').toString(),
    ...(cron === undefined ? { every: every! } : { cron, timeZone: schedule.timeZone }),
    ...(workload.length > 0 && { workload: isText ? text : writtenBytes(workload) }),
    priority: PRIORITY_NAMES[schedule.priority],
    missed: schedule.missed,
    missedWithin: schedule.missedWithin,
    overlap: schedule.overlap,
    jitter: schedule.jitter,
    ...(startAt > 0 && { startAt }),
    ...(endAt < Infinity && { endAt }),
    ...(isPaused && { isPaused }),
  };
}

function writtenBytes(workload: Uint8Array): ScheduleWorkload {
  return { base64: Buffer.from(workload).toString('base64') };
}
