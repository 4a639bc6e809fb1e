import { describe, expect, it } from '@jest/globals';
import { CronTable } from '../../../../lib/job-server/schedules/cron.js';
import { runs } from '../../../support/runs.js';
import { inTimeZone } from '../../../support/time-zone.js';

const ZONES = [
  'Australia/Lord_Howe',
  'Antarctica/Troll',
  'Pacific/Apia',
  'America/Havana',
  'Asia/Gaza',
  'Europe/Berlin',
  'America/New_York',
  'America/Sao_Paulo',
  'Africa/Casablanca',
  'Asia/Tehran',
  'Australia/Sydney',
  'Asia/Kolkata',
  'America/St_Johns',
  'Pacific/Chatham',
  'UTC',
];
const TIMES = ['00:00', '00:30', '01:30', '02:00', '02:15', '02:30', '03:00', '23:30'];
/** Where the process is: its zone must not matter, as it once did in croner (#284). */
const HOSTS = ['Australia/Sydney', 'America/New_York'];

const [DAY, HOUR, MINUTE] = [86_400_000, 3_600_000, 60_000];
/** In these 1,000 days Apia leaves one out, Gaza changes as it likes, and midnight is missing in Havana and São Paulo. */
const START = Date.UTC(2010, 0, 1);
const DAYS = 1_000;
/** By default each zone is tried on one host, in the first ten days and about its changes; `npm run fuzz` tries all days, on both. */
const IS_THOROUGH = runs(1).numRuns > 1;
/** How long before and after a change of its clocks each hour is looked at. */
const ABOUT_CHANGE = IS_THOROUGH ? 2 * DAY : 12 * HOUR;

/** A time zone as the model has it: from when on which offset to UTC holds, in milliseconds. */
class ZoneModel {
  private readonly format: Intl.DateTimeFormat;
  readonly changes: { readonly from: number; readonly offset: number }[] = [];

  constructor(timeZone: string) {
    const fields = { year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' } as const;
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, ...fields, hourCycle: 'h23' });
    let [before, offset] = [START - 3 * DAY, this.ask(START - 3 * DAY)];
    this.changes.push({ from: -Infinity, offset });
    for (let at = before + 12 * HOUR; at < START + (DAYS + 3) * DAY; before = at, at += 12 * HOUR) {
      if (this.ask(at) === offset) continue;
      let [low, high] = [before, at];
      while (high - low > MINUTE) {
        const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
        if (this.ask(middle) === offset) low = middle;
        else high = middle;
      }
      offset = this.ask(high);
      this.changes.push({ from: high, offset });
    }
  }

  private ask(at: number): number {
    const parts = new Map(this.format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const [year, month, day, hour, minute] = (['year', 'month', 'day', 'hour', 'minute'] as const).map((name) =>
      parts.get(name)!,
    );
    return Date.UTC(year!, month! - 1, day, hour, minute) - at;
  }

  /** Whether clocks are changed within three days of it. */
  isNearChange(at: number): boolean {
    return this.changes.some(({ from }) => Math.abs(at - from) < 3 * DAY);
  }

  /** When a local time is: the first such moment, else the end of the gap it fell into, if that is on the same day. */
  momentOf(local: number): number | undefined {
    for (const [index, { from, offset }] of this.changes.entries()) {
      const until = this.changes[index + 1]?.from ?? Infinity;
      const at = local - offset;
      if (at >= from && at < until) return at;
      const isInGap = at < from && local >= from + (this.changes[index - 1]?.offset ?? offset);
      if (isInGap) return Math.floor((from + offset) / DAY) === Math.floor(local / DAY) ? from : undefined;
    }
    return undefined;
  }
}

describe.each(ZONES)('in %s', (timeZone) => {
  const model = new ZoneModel(timeZone);
  const crons = new CronTable();
  const hosts = IS_THOROUGH ? HOSTS : [HOSTS[ZONES.indexOf(timeZone) % HOSTS.length]!];

  it.each(TIMES)(`%s comes once on each of ${DAYS} days`, (time) => {
    const [hour, minute] = time.split(':').map(Number) as [number, number];
    const all = Array.from({ length: DAYS }, (_, day) =>
      model.momentOf(START + day * DAY + hour * HOUR + minute * MINUTE),
    ).filter((at) => at !== undefined);
    // Each is looked for from the one before.
    const steps = all.slice(1).map((at, index) => ({ from: all[index]!, to: at }));
    const tried = steps.filter(({ to }, index) => IS_THOROUGH || index < 10 || model.isNearChange(to));
    for (const host of hosts) {
      const pattern = { cron: `${minute} ${hour} * * *`, timeZone };
      const found = inTimeZone(host, () => tried.map(({ from }) => new Date(crons.next(pattern, from))));
      expect(found).toEqual(tried.map(({ to }) => new Date(to)));
    }
  });

  it('an hourly pattern comes evenly, except where clocks move by half an hour', () => {
    const changes = IS_THOROUGH ? model.changes : model.changes.slice(0, 3);
    for (const [index, { from, offset }] of changes.entries()) {
      const near = index === 0 ? START : from;
      const gaps = new Set<number>();
      let at = crons.next({ cron: '0 * * * *', timeZone }, near - ABOUT_CHANGE);
      for (let next = at; at < near + ABOUT_CHANGE; at = next) {
        next = crons.next({ cron: '0 * * * *', timeZone }, at);
        gaps.add(next - at);
      }
      const isByHours = index === 0 || (offset - model.changes[index - 1]!.offset) % HOUR === 0;
      const uneven = [...gaps].filter((gap) => gap !== HOUR);
      expect(uneven.every((gap) => !isByHours && (gap === HOUR / 2 || gap === 1.5 * HOUR))).toBe(true);
    }
  });
});

describe('the pages that quote the night clocks move in Berlin', () => {
  const crons = new CronTable();
  const on = (cron: string, from: string, until: string): string[] => {
    const times: string[] = [];
    for (let at = Date.parse(from) - 1; ;) {
      at = crons.next({ cron, timeZone: 'Europe/Berlin' }, at);
      if (at >= Date.parse(until)) return times;
      times.push(new Date(at).toISOString().slice(11, 16));
    }
  };
  // From local midnight to noon: 01:00 UTC is where an hour is left out, or comes twice.
  const spring = (cron: string): string[] => on(cron, '2027-03-27T23:00Z', '2027-03-28T04:00Z');
  const autumn = (cron: string): string[] => on(cron, '2027-10-30T22:00Z', '2027-10-31T05:00Z');

  it('say what croner does', () => {
    expect(spring('30 2 * * *')).toEqual(['01:00']);
    expect(autumn('30 2 * * *')).toEqual(['00:30']);
    expect(spring('*/15 2 * * *')).toEqual([]);
    expect(autumn('*/15 2 * * *')).toEqual(['00:00', '00:15', '00:30', '00:45', '01:00', '01:15', '01:30', '01:45']);
    expect(spring('0 */2 * * *')).toEqual(['23:00', '02:00']);
    expect(autumn('0 */2 * * *')).toEqual(['22:00', '00:00', '01:00', '03:00']);
    expect(spring('0 * * * *')).toEqual(['23:00', '00:00', '01:00', '02:00', '03:00']);
    expect(autumn('0 * * * *')).toEqual(['22:00', '23:00', '00:00', '01:00', '02:00', '03:00', '04:00']);
  });
});
