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
  const at = new Date(now);
  at.setSeconds(0, 0);
  at.setMinutes(at.getMinutes() + 1);
  const lastYear = at.getFullYear() + YEARS_AHEAD;
  while (at.getFullYear() <= lastYear) {
    if (!matches(wanted.month, at.getMonth() + 1)) toMidnight(at, () => at.setMonth(at.getMonth() + 1, 1));
    else if (!isDay(at, wanted)) toMidnight(at, () => at.setDate(at.getDate() + 1));
    else if (!matches(wanted.hour, at.getHours())) at.setHours(at.getHours() + 1, 0);
    else if (!matches(wanted.minute, at.getMinutes())) at.setMinutes(at.getMinutes() + 1);
    else return at.getTime();
  }
  return undefined;
}

/** Moves to another day and to its first minute; the first, since midnight itself may not exist on the day between. */
function toMidnight(at: Date, move: () => void): void {
  at.setHours(12);
  move();
  at.setHours(0, 0);
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
