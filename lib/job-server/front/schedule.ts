/** The time fields of SUBMIT_JOB_SCHED, as they were sent. Empty, missing or `*` matches any. */
export interface ScheduleFields {
  /** 0-59. */
  minute?: string;
  /** 0-23. */
  hour?: string;
  /** 1-31. */
  dayOfMonth?: string;
  /** 1-12. */
  month?: string;
  /** 0-6, 0 is Monday (PROTOCOL). */
  dayOfWeek?: string;
}

/** February 29 falls on a given weekday at least once in 40 years, whatever centuries lie between. */
const YEARS_AHEAD = 40;

const MINUTE = 60_000;

/**
 * The next full minute after `now` (milliseconds since 1970) whose local time
 * matches every field, or undefined for fields that are no numbers or that no
 * date ever matches, as February 30.
 */
export function nextScheduled(fields: ScheduleFields, now: number): number | undefined {
  const wanted = {
    minute: parse(fields.minute, 0, 59),
    hour: parse(fields.hour, 0, 23),
    dayOfMonth: parse(fields.dayOfMonth, 1, 31),
    month: parse(fields.month, 1, 12),
    dayOfWeek: parse(fields.dayOfWeek, 0, 6),
  };
  if (Object.values(wanted).includes('invalid')) return undefined;
  // Steps are taken in real time: in local time an hour that the clock repeats would lead back.
  let at = new Date(Math.floor(now / MINUTE) * MINUTE + MINUTE);
  const lastYear = at.getFullYear() + YEARS_AHEAD;
  while (at.getFullYear() <= lastYear) {
    if (!matches(wanted.month, at.getMonth() + 1)) at = new Date(at.getFullYear(), at.getMonth() + 1, 1);
    else if (!isDay(at, wanted)) at = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1);
    else if (!matches(wanted.hour, at.getHours())) at = new Date(at.getTime() + (60 - at.getMinutes()) * MINUTE);
    else if (!matches(wanted.minute, at.getMinutes())) at = new Date(at.getTime() + MINUTE);
    else return at.getTime();
  }
  return undefined;
}

type Wanted = number | 'any' | 'invalid';

function parse(field: string | undefined, lowest: number, highest: number): Wanted {
  if (field === undefined || field === '' || field === '*') return 'any';
  const value = Number(field);
  return /^\d+$/.test(field) && value >= lowest && value <= highest ? value : 'invalid';
}

function matches(wanted: Wanted, value: number): boolean {
  return wanted === 'any' || wanted === value;
}

function isDay(at: Date, wanted: { dayOfMonth: Wanted; dayOfWeek: Wanted }): boolean {
  // Date counts from Sunday, PROTOCOL from Monday.
  return matches(wanted.dayOfMonth, at.getDate()) && matches(wanted.dayOfWeek, (at.getDay() + 6) % 7);
}
