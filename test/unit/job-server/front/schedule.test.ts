import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { nextScheduled, type ScheduleFields } from '../../../../lib/job-server/front/schedule.js';
import { inTimeZone } from '../../../support/time-zone.js';
import { runs } from '../../../support/runs.js';

const MINUTE = 60_000;

/** The next time after `now` that matches, both written with their offset from UTC. */
function next(fields: ScheduleFields, now: string, zone = 'UTC'): string | undefined {
  return inTimeZone(zone, () => {
    const at = nextScheduled(fields, Date.parse(now));
    return at === undefined ? undefined : new Date(at).toISOString().slice(0, 16);
  });
}

describe('SUBMIT_JOB_SCHED', () => {
  it.each<[string, ScheduleFields, string, string]>([
    ['anything: the next full minute', {}, '2024-03-05T10:20:30Z', '2024-03-05T10:21'],
    ['a full minute is not its own next', { minute: '*' }, '2024-03-05T10:20:00Z', '2024-03-05T10:21'],
    ['a minute of this hour', { minute: '45' }, '2024-03-05T10:20:30Z', '2024-03-05T10:45'],
    ['a minute of the next hour', { minute: '5' }, '2024-03-05T10:20:30Z', '2024-03-05T11:05'],
    ['an hour of today', { hour: '13' }, '2024-03-05T10:20:30Z', '2024-03-05T13:00'],
    ['an hour of tomorrow', { minute: '30', hour: '9' }, '2024-03-05T10:20:30Z', '2024-03-06T09:30'],
    ['midnight', { minute: '0', hour: '0' }, '2024-12-31T23:59:59Z', '2025-01-01T00:00'],
    ['a day of this month', { dayOfMonth: '31' }, '2024-03-05T10:20:30Z', '2024-03-31T00:00'],
    ['a day not every month has', { dayOfMonth: '31' }, '2024-03-31T23:59:30Z', '2024-05-31T00:00'],
    ['a month of next year', { month: '2', dayOfMonth: '1' }, '2024-03-05T10:20:30Z', '2025-02-01T00:00'],
    ['this very day, later', { month: '3', dayOfMonth: '5', hour: '11' }, '2024-03-05T10:20:30Z', '2024-03-05T11:00'],
    ['leading zeros', { minute: '05', hour: '09' }, '2024-03-05T10:20:30Z', '2024-03-06T09:05'],
    ['weekday 0, a Monday', { dayOfWeek: '0' }, '2024-03-05T10:20:30Z', '2024-03-11T00:00'],
    ['weekday 1, a Tuesday: still today', { dayOfWeek: '1' }, '2024-03-05T10:20:30Z', '2024-03-05T10:21'],
    ['weekday 6, a Sunday', { dayOfWeek: '6' }, '2024-03-05T10:20:30Z', '2024-03-10T00:00'],
    ['the 13th, on a Friday', { dayOfMonth: '13', dayOfWeek: '4' }, '2024-03-05T10:20:30Z', '2024-09-13T00:00'],
    ['February 29', { month: '2', dayOfMonth: '29' }, '2024-03-01T00:00:00Z', '2028-02-29T00:00'],
    ['February 29 over a year without', { month: '2', dayOfMonth: '29' }, '2097-01-01T00:00:00Z', '2104-02-29T00:00'],
    [
      'February 29 on a Monday',
      { month: '2', dayOfMonth: '29', dayOfWeek: '0' },
      '2024-03-01T00:00:00Z',
      '2044-02-29T00:00',
    ],
  ])('%s', (_, fields, now, expected) => {
    expect(next(fields, now)).toBe(expected);
  });

  it.each<[string, ScheduleFields]>([
    ['minute 60', { minute: '60' }],
    ['hour 24', { hour: '24' }],
    ['day 0', { dayOfMonth: '0' }],
    ['day 32', { dayOfMonth: '32' }],
    ['month 0', { month: '0' }],
    ['month 13', { month: '13' }],
    ['weekday 7', { dayOfWeek: '7' }],
    ['a word', { hour: 'noon' }],
    ['a sign', { minute: '-1' }],
    ['a fraction', { minute: '1.5' }],
    ['an exponent', { minute: '1e1' }],
    ['a blank', { minute: ' ' }],
    ['a step', { minute: '*/5' }],
    ['February 30', { month: '2', dayOfMonth: '30' }],
    ['April 31', { month: '4', dayOfMonth: '31' }],
  ])('%s never comes', (_, fields) => {
    expect(next(fields, '2024-03-05T10:20:30Z')).toBeUndefined();
  });

  it.each<[string, ScheduleFields, string, string, string]>([
    [
      'an hour that is left out comes the next day',
      { minute: '30', hour: '2' },
      '2024-03-10T00:00-05:00',
      '2024-03-11T02:30-04:00',
      'America/New_York',
    ],
    [
      'the hour behind it is not late',
      { minute: '30' },
      '2024-03-10T01:45-05:00',
      '2024-03-10T03:30-04:00',
      'America/New_York',
    ],
    [
      'an hour said twice comes the first time',
      { minute: '30', hour: '1' },
      '2024-11-03T00:00-04:00',
      '2024-11-03T01:30-04:00',
      'America/New_York',
    ],
    [
      'and the second time for who asks in between',
      { minute: '30', hour: '1' },
      '2024-11-03T01:45-04:00',
      '2024-11-03T01:30-05:00',
      'America/New_York',
    ],
    [
      'nothing comes before now in the second one',
      { minute: '30' },
      '2024-11-03T01:10-05:00',
      '2024-11-03T01:30-05:00',
      'America/New_York',
    ],
    ['nor the next minute', {}, '2024-11-03T01:10:20-05:00', '2024-11-03T01:11-05:00', 'America/New_York'],
    [
      'a day without midnight begins at one',
      { dayOfMonth: '15' },
      '2018-10-20T00:00-03:00',
      '2018-11-15T00:00-02:00',
      'America/Sao_Paulo',
    ],
    [
      'and midnight itself waits for another day',
      { minute: '0', hour: '0' },
      '2018-11-03T12:00-03:00',
      '2018-11-05T00:00-02:00',
      'America/Sao_Paulo',
    ],
    [
      'such a day is not passed over',
      { dayOfMonth: '4', month: '11' },
      '2018-10-20T00:00-03:00',
      '2018-11-04T01:00-02:00',
      'America/Sao_Paulo',
    ],
    [
      'half hours of summer time',
      { minute: '45', hour: '1' },
      '2024-04-07T01:50+11:00',
      '2024-04-07T01:45+10:30',
      'Australia/Lord_Howe',
    ],
    [
      'a day that was left out',
      { dayOfMonth: '30' },
      '2011-12-29T12:00-10:00',
      '2012-01-30T00:00+14:00',
      'Pacific/Apia',
    ],
    ['quarter hours from UTC', { minute: '0' }, '2024-03-05T10:20+05:45', '2024-03-05T11:00+05:45', 'Asia/Kathmandu'],
  ])('over a change of the clock: %s', (_, fields, now, expected, zone) => {
    expect(next(fields, now, zone)).toBe(new Date(expected).toISOString().slice(0, 16));
  });

  it('is what trying every minute finds', () => {
    const field = (lowest: number, highest: number): fc.Arbitrary<string> =>
      fc.oneof(fc.constantFrom('', '*'), fc.integer({ min: lowest, max: highest }).map(String));
    const fields = fc.record({ minute: field(0, 59), hour: field(0, 3) });
    // From an hour and a half before each change of the clock in New York in 2024 to as much behind it.
    const nows = fc
      .tuple(fc.constantFrom('2024-03-10T05:30Z', '2024-11-03T04:30Z'), fc.nat(3 * 60 * MINUTE))
      .map(([start, later]) => Date.parse(start) + later);
    inTimeZone('America/New_York', () =>
      fc.assert(
        fc.property(fields, nows, (one, now) => expect(nextScheduled(one, now)).toBe(byTrying(one, now))),
        runs(60),
      ),
    );
  });
});

function byTrying({ minute, hour }: ScheduleFields, now: number): number {
  const matches = (field: string | undefined, value: number): boolean => !field || field === '*' || +field === value;
  for (let at = Math.floor(now / MINUTE) * MINUTE + MINUTE; ; at += MINUTE) {
    const date = new Date(at);
    if (matches(minute, date.getMinutes()) && matches(hour, date.getHours())) return at;
  }
}
