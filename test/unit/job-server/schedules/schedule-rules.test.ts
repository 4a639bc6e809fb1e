import { describe, expect, it } from '@jest/globals';
import { readSchedule } from '../../../../lib/job-server/schedules/index.js';
import { writtenSchedule } from '../../../../lib/job-server/schedules/schedule-rules.js';

const NOW = Date.UTC(2027, 0, 1);
const read = (options: unknown, id = 'nightly') => readSchedule(id, options, NOW);

describe('a schedule as it is written', () => {
  it('has defaults', () => {
    expect(read({ function: 'f', cron: '0 3 * * *' })).toEqual({
      id: 'nightly',
      function: 'f',
      cron: '0 3 * * *',
      timeZone: 'UTC',
      workload: Buffer.alloc(0),
      priority: 1,
      missed: 'once',
      missedWithin: 3_600_000,
      overlap: 'skip',
      jitter: 0,
      startAt: 0,
      endAt: Infinity,
      isPaused: false,
    });
  });

  it.each([
    [{ cron: '0 3 * * *' }, 'schedules.nightly.function: must be the name of a function'],
    [{ function: 'f' }, 'schedules.nightly.cron: must be given, or `every`'],
    [{ function: 'f', cron: '@daily', every: 1_000 }, 'schedules.nightly.cron: must be given, or `every`'],
    [
      { function: 'f', cron: '61 * * * *' },
      'schedules.nightly.cron: must be a pattern of cron (Invalid value for minute: 61)',
    ],
    [{ function: 'f', cron: '0 0 30 2 *' }, 'this one never fires'],
    [{ function: 'f', cron: '2027-05-01T00:00:00' }, 'not a date'],
    [{ function: 'f', cron: `0 ${'1,'.repeat(200)}1 * * *` }, 'at most 256 characters'],
    [
      { function: 'f', cron: '@daily', timeZone: 'Mars/Phobos' },
      'schedules.nightly.timeZone: must be an IANA time zone',
    ],
    [{ function: 'f', every: 999 }, 'schedules.nightly.every: must be a whole number of milliseconds from 1000'],
    [
      { function: 'f', every: 1_000, missed: 'some' },
      "schedules.nightly.missed: must be 'once', 'skip' or 'all', not 'some'",
    ],
    [{ function: 'f', every: 1_000, workload: 7 }, 'schedules.nightly.workload: must be a text, bytes'],
    [{ function: 'f', every: 1_000, workload: { base64: 'x' } }, 'schedules.nightly.workload: must be a text, bytes'],
    [{ function: 'f', every: 1_000, startAt: 'soon' }, 'schedules.nightly.startAt: must be a Date'],
    [
      { function: 'f', every: 1_000, startAt: 2, endAt: 1 },
      'schedules.nightly.endAt: must be a moment that is not before startAt',
    ],
    [{ function: 'f', every: 1_000, evry: 1 }, 'schedules.nightly.evry: is no field of a schedule'],
    [[], 'schedules.nightly: must be an object'],
  ])('names the field that is not valid: %j', (options, message) => {
    expect(() => read(options)).toThrow(message);
  });

  it.each(['', 'two words', 'x'.repeat(41), 'a\nb'])('refuses the id %j', (id) => {
    expect(() => read({ function: 'f', every: 1_000 }, id)).toThrow('id: must be a text of 1 to 40 bytes');
  });

  it('is the same when it is read again', () => {
    for (const workload of ['text', Buffer.from([0, 255]), { json: { a: 1 } }]) {
      const schedule = read({ function: 'ß', every: 5_000, workload, startAt: NOW, endAt: NOW + 1, isPaused: true });
      const again = JSON.parse(JSON.stringify(writtenSchedule(schedule))) as unknown;
      expect(read(again)).toEqual({ ...schedule, workload: Buffer.from(schedule.workload) });
    }
  });
});
