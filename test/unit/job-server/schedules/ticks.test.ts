import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readSchedule, type ScheduleOptions } from '../../../../lib/job-server/schedules/index.js';
import { CronTable } from '../../../../lib/job-server/schedules/cron.js';
import { jitterOf, nextTick, planTicks } from '../../../../lib/job-server/schedules/ticks.js';
import { runs } from '../../../support/runs.js';

const crons = new CronTable();
const MINUTE = 60_000;
const NOON = Date.UTC(2027, 0, 1, 12);

const schedule = (options: Partial<ScheduleOptions>) =>
  readSchedule('s', { function: 'f', every: MINUTE, ...options }, 0, crons);

describe('ticks', () => {
  it('come at multiples, counted from the start', () => {
    expect(nextTick(schedule({}), NOON, crons)).toBe(NOON + MINUTE);
    expect(nextTick(schedule({}), NOON - 1, crons)).toBe(NOON);
    const started = schedule({ startAt: NOON + 1_500, endAt: NOON + 62_000 });
    expect(nextTick(started, 0, crons)).toBe(NOON + 1_500);
    expect(nextTick(started, NOON + 1_500, crons)).toBe(NOON + 61_500);
    expect(nextTick(started, NOON + 61_500, crons)).toBe(Infinity);
  });

  it('may be put off by the same time wherever one looks', () => {
    const [one, other] = [schedule({ jitter: 5_000 }), schedule({ jitter: 5_000 })];
    const waits = Array.from({ length: 50 }, (_, index) => jitterOf(one, NOON + index * MINUTE));
    expect(waits).toEqual(Array.from({ length: 50 }, (_, index) => jitterOf(other, NOON + index * MINUTE)));
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...waits)).toBeLessThanOrEqual(5_000);
    expect(new Set(waits).size).toBeGreaterThan(40);
  });

  it('fire at most 1,000 of those that were missed, the oldest first, and then go on with what comes', () => {
    const all = schedule({ every: 1_000, missed: 'all' });
    const plan = planTicks(all, NOON + 1_000, NOON + 5_000_000, crons);
    expect(plan.fire.slice(0, 2)).toEqual([NOON + 1_000, NOON + 2_000]);
    expect([plan.fire.length, plan.missed]).toEqual([1_000, 3_999]);
    expect(nextTick(all, plan.until!, crons)).toBe(NOON + 5_000_000);
  });

  // The model: a clock goes to and fro, is looked at now and then, and every tick that passes is dealt with once.
  it('are dealt with once, by their policy, whatever the clock does', () => {
    const looks = fc.array(fc.integer({ min: -3 * 86_400, max: 3 * 86_400 }), { minLength: 1, maxLength: 20 });
    const nearLooks = fc.array(fc.integer({ min: -90, max: 200 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(
        fc.oneof(looks, nearLooks),
        fc.constantFrom('once' as const, 'skip' as const, 'all' as const),
        fc.constantFrom({ every: MINUTE }, { every: 7_000 }, { every: undefined, cron: '*/5 * * * *' }),
        (steps, missed, rhythm) => {
          const recurring = schedule({ ...rhythm, missed } as Partial<ScheduleOptions>);
          let [now, last] = [NOON, NOON];
          const fired: number[] = [];
          for (const step of steps) {
            now += step * 1_000;
            const before = last;
            const plan = planTicks(recurring, nextTick(recurring, last, crons), now, crons);
            fired.push(...plan.fire);
            last = Math.max(last, plan.until ?? last, ...plan.fire);
            const due: number[] = [];
            const period = rhythm.every ?? 5 * MINUTE;
            for (let tick = (Math.floor(before / period) + 1) * period; tick <= now; tick += period) due.push(tick);
            const latest = due.at(-1);
            const isOnTime = latest !== undefined && now - latest < 10_000;
            const wanted =
              missed === 'all'
                ? due.slice(0, 1_000)
                : latest !== undefined && (isOnTime || (missed === 'once' && now - latest <= 60 * MINUTE))
                  ? [latest]
                  : [];
            expect(plan.fire).toEqual(wanted);
            // What is not dealt with yet is on time.
            expect(due.filter((tick) => tick > last).length).toBeLessThanOrEqual(missed === 'all' ? 1 : 0);
          }
          expect(new Set(fired).size).toBe(fired.length);
        },
      ),
      runs(40),
    );
  });
});
