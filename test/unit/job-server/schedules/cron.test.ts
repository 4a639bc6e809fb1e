import { describe, expect, it } from '@jest/globals';
import { Cron, type CronOptions } from 'croner';
import { CronTable } from '../../../../lib/job-server/schedules/cron.js';

const NOON = Date.UTC(2027, 0, 1, 12);

/** A croner that counts what is made and asked. */
function counted() {
  const counts = { made: 0, asked: 0 };
  class Counted extends Cron {
    constructor(pattern: string, options: CronOptions) {
      super(pattern, options);
      counts.made++;
    }

    override nextRun(after?: Date): Date | null {
      counts.asked++;
      return super.nextRun(after);
    }
  }
  return { counts, crons: new CronTable(() => ({ Cron: Counted })) };
}

describe('a table of patterns', () => {
  it('asks once for all schedules that have the same pattern, up to its next time', () => {
    const { counts, crons } = counted();
    const pattern = { cron: '0 * * * *', timeZone: 'Europe/Berlin' };
    for (const after of [NOON, NOON + 1, NOON + 3_599_999]) expect(crons.next(pattern, after)).toBe(NOON + 3_600_000);
    expect(counts).toEqual({ made: 1, asked: 1 });
    expect(crons.next(pattern, NOON + 3_600_000)).toBe(NOON + 7_200_000);
    expect(crons.next(pattern, NOON - 1)).toBe(NOON);
    expect(crons.next({ ...pattern, timeZone: 'Asia/Kolkata' }, NOON)).toBe(NOON + 1_800_000);
    expect(counts).toEqual({ made: 2, asked: 4 });
  });

  it('keeps one pattern, which is large, and many answers', () => {
    const { counts, crons } = counted();
    const patterns = Array.from({ length: 1_000 }, (_, number) => ({
      cron: `${number % 60} ${Math.floor(number / 60)} * * *`,
      timeZone: 'UTC',
    }));
    const nexts = patterns.map((pattern) => crons.next(pattern, NOON));
    expect(patterns.map((pattern) => crons.next(pattern, NOON + 1))).toEqual(
      nexts.map((next, index) => (next === NOON + 1 ? crons.next(patterns[index]!, NOON + 1) : next)),
    );
    expect(counts.made).toBe(1_000);
    // The last is at hand, the others are made again.
    for (const until of [NOON, NOON + 60_000]) crons.last(patterns[999]!, until);
    expect(counts.made).toBe(1_000);
    for (const until of [NOON, NOON + 60_000]) expect(crons.last(patterns[0]!, until)).toBe(Date.UTC(2027, 0, 1));
    expect(counts.made).toBe(1_001);
  });

  it('knows time zones, and remembers them', () => {
    const crons = new CronTable();
    for (const zone of ['UTC', 'Europe/Berlin', 'Europe/Berlin']) expect(crons.hasZone(zone)).toBe(true);
    for (const zone of ['Mars/Phobos', 'utc ', '__proto__']) expect(crons.hasZone(zone)).toBe(false);
  });
});
