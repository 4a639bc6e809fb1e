import { afterEach, describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../lib/job-server/core-of.js';
import type { ScheduleTable } from '../../../lib/job-server/index.js';
import { JobServer } from '../../../lib/job-server/job-server.js';
import { MemoryStorage } from '../../../lib/job-server/storage/index.js';
import { until } from '../../support/until.js';

const MINUTE = 60_000;
/** The clock of dates is the test's; durations count on. */
class SetClocks {
  constructor(public date: number) {}

  get now(): number {
    return performance.now();
  }
}

const START = Date.UTC(2027, 0, 1, 12, 0, 30);

describe('schedules of a job server', () => {
  const running: JobServer[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((jobServer) => jobServer.stop()));
  });

  const start = async (clocks: SetClocks, schedules: ScheduleTable, storage?: MemoryStorage): Promise<JobServer> => {
    const jobServer = new JobServer({ listeners: [], schedules, ...(storage && { storage }) }, clocks);
    running.push(jobServer);
    await jobServer.start();
    return jobServer;
  };
  const uniques = async (jobServer: JobServer): Promise<string[]> => {
    const { engine, storedJobs } = coreOf(jobServer);
    const found = Array.from(engine.jobs(), ({ unique }) => unique);
    for await (const page of storedJobs?.waiting() ?? []) found.push(...page.map(({ unique }) => unique));
    return found.sort();
  };
  const hear = async (jobServer: JobServer, clocks: SetClocks, date: number): Promise<void> => {
    clocks.date = date;
    jobServer.schedules.tick(clocks);
    await until('nothing fires', () => [...jobServer.schedules.all].every(({ isBusy }) => !isBusy));
  };

  for (const [name, makeStorage] of [
    ['a storage', () => new MemoryStorage()],
    ['none', () => undefined],
  ] as const) {
    describe(`with ${name}`, () => {
      it('submit a job at each tick, whose unique names it', async () => {
        const clocks = new SetClocks(START);
        const jobServer = await start(
          clocks,
          { m: { cron: '* * * * *', function: 'f', overlap: 'queue' } },
          makeStorage(),
        );
        await hear(jobServer, clocks, START + MINUTE);
        await hear(jobServer, clocks, START + 2 * MINUTE);
        const at = (minute: number): string => `m@${Date.UTC(2027, 0, 1, 12, minute) / 1_000}`;
        await until('both are queued', () => coreOf(jobServer).engine.functions.find('f')?.total === 2);
        expect(await uniques(jobServer)).toEqual([at(1), at(2)]);
        const { stats } = coreOf(jobServer).engine.functions.find('f')!;
        expect([stats.fromSchedule, stats.submitted]).toEqual([2, 2]);
      });

      it('skip a tick while the last job has not ended, and say so', async () => {
        const clocks = new SetClocks(START);
        const jobServer = await start(clocks, { m: { cron: '* * * * *', function: 'f' } }, makeStorage());
        for (const minute of [1, 2, 3]) await hear(jobServer, clocks, START + minute * MINUTE);
        expect(jobServer.schedules.list()[0]?.problem).toMatch(/^2 ticks skipped: /);
        expect([...jobServer.schedules.all][0]!.counts).toEqual({ fired: 1, skipped: 2, missed: 0, failed: 0 });
      });

      it('log what goes wrong with which schedule it is about, and which function', async () => {
        const lines: unknown[] = [];
        const clocks = new SetClocks(START);
        const options = { m: { cron: '* * * * *', function: 'f', missed: 'skip' } } as const;
        const storage = makeStorage();
        const jobServer = new JobServer(
          {
            listeners: [],
            schedules: options,
            log: (_level, message, fields) => lines.push([message, fields]),
            ...(storage && { storage }),
          },
          clocks,
        );
        running.push(jobServer);
        await jobServer.start();
        await hear(jobServer, clocks, START + 3 * MINUTE + 45_000);
        jobServer.schedules.put('p', { cron: '* * * * *', function: 'g' });
        jobServer.schedules.declare('crontab', { p: { cron: '* * * * *', function: 'h' } });
        expect(lines).toContainEqual(['schedule m: 4 ticks missed', { schedule: 'm', function: 'f', count: 4 }]);
        expect(lines).toContainEqual([
          'schedule p: was put, and is declared by crontab now',
          { schedule: 'p', function: 'h' },
        ]);
      });

      it('submit no job that is larger than a client may send, and say so', async () => {
        const clocks = new SetClocks(START);
        const schedules = { m: { cron: '* * * * *', function: 'f', workload: 'x'.repeat(80) } };
        const storage = makeStorage();
        const jobServer = new JobServer(
          { listeners: [], schedules, maxPacketBytes: 100, ...(storage && { storage }) },
          clocks,
        );
        running.push(jobServer);
        await jobServer.start();
        await hear(jobServer, clocks, START + MINUTE);
        expect(await uniques(jobServer)).toEqual([]);
        // 12 bytes of header, f, m@1798804860, and the NUL behind each.
        expect(jobServer.schedules.list()[0]?.problem).toContain(
          'This job has 107 bytes as a packet, and maxPacketBytes is 100',
        );
      });

      it('fire no tick twice when the clock is set back', async () => {
        const clocks = new SetClocks(START);
        const jobServer = await start(
          clocks,
          { m: { cron: '* * * * *', function: 'f', overlap: 'queue' } },
          makeStorage(),
        );
        await hear(jobServer, clocks, START + MINUTE);
        await hear(jobServer, clocks, START - 10 * MINUTE);
        await hear(jobServer, clocks, START + MINUTE);
        expect([...jobServer.schedules.all][0]!.counts.fired).toBe(1);
      });

      it('fire nothing while paused, and have missed nothing then', async () => {
        const clocks = new SetClocks(START);
        const schedules = { m: { cron: '* * * * *', function: 'f', missed: 'all', overlap: 'queue' } } as const;
        const jobServer = await start(clocks, schedules, makeStorage());
        jobServer.schedules.pause('m');
        await hear(jobServer, clocks, START + 5 * MINUTE);
        jobServer.schedules.resume('m');
        await hear(jobServer, clocks, START + 6 * MINUTE);
        expect([...jobServer.schedules.all][0]!.counts).toEqual({ fired: 1, skipped: 0, missed: 0, failed: 0 });
      });
    });
  }

  it('fire all of very many, minute by minute, and others have their turns meanwhile', async () => {
    const table = Object.fromEntries(
      Array.from({ length: 3_000 }, (_, number) => [
        `s${number}`,
        { function: 'f', cron: number % 2 ? '* * * * *' : `*,${number % 60} * * * *`, overlap: 'queue' as const },
      ]),
    );
    const clocks = new SetClocks(START);
    const jobServer = await start(clocks, table, new MemoryStorage());
    let turns = 0;
    const count = setInterval(() => turns++, 0);
    for (const minute of [1, 2, 3]) {
      await hear(jobServer, clocks, START + minute * MINUTE);
      const counts = Array.from(jobServer.schedules.all, ({ counts: { fired } }) => fired);
      expect(new Set(counts)).toEqual(new Set([minute]));
      const nexts = new Set(jobServer.schedules.list().map(({ nextTick }) => nextTick));
      expect(nexts).toEqual(new Set([Date.UTC(2027, 0, 1, 12, minute + 1)]));
    }
    clearInterval(count);
    expect(turns).toBeGreaterThan(10);
  });

  it('try a tick that cannot fire every second, then ever more rarely, and fire it when it can', async () => {
    const storage = new MemoryStorage();
    const fire = storage.fire.bind(storage);
    const tries: number[] = [];
    let isBroken = true;
    storage.fire = (id, tick, job) => {
      tries.push((clocks.date - START) / 1_000);
      return isBroken ? Promise.reject(new Error('no space')) : fire(id, tick, job);
    };
    const clocks = new SetClocks(START);
    const jobServer = await start(clocks, { m: { cron: '* * * * *', function: 'f' } }, storage);
    tries.length = 0;
    for (let second = 1; second <= 600; second++) await hear(jobServer, clocks, START + second * 1_000);
    // The tick is at 30; it rests a tenth of how late it is, and is looked at every second.
    expect(tries.slice(0, 14)).toEqual([30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 43, 45]);
    expect(tries.length).toBeLessThan(60);
    expect(Math.max(...tries.slice(1).map((at, index) => at - tries[index]!))).toBe(30);
    expect(jobServer.schedules.list()[0]!.problem).toBe('no space');
    isBroken = false;
    for (let second = 601; second < 630; second++) await hear(jobServer, clocks, START + second * 1_000);
    expect(await uniques(jobServer)).toEqual([`m@${Date.UTC(2027, 0, 1, 12, 10) / 1_000}`]);
    expect(jobServer.schedules.list()[0]!.problem).toBeUndefined();
  });

  it('forget nothing that is put before there is a storage to keep it: they refuse it', async () => {
    const jobServer = new JobServer({ listeners: [], storage: new MemoryStorage() });
    expect(() => jobServer.schedules.put('early', { function: 'f', every: 1_000 })).toThrow('the storage is not open');
    expect(jobServer.schedules.size).toBe(0);
  });

  it('are there after a restart as they were put, and what was missed fires by its policy', async () => {
    const storage = new MemoryStorage();
    const clocks = new SetClocks(START);
    const first = await start(clocks, {}, storage);
    const rest = { cron: '* * * * *', overlap: 'queue' } as const;
    first.schedules.put('all', { ...rest, function: 'all', missed: 'all' });
    first.schedules.put('once', { ...rest, function: 'once' });
    first.schedules.put('skip', { ...rest, function: 'skip', missed: 'skip' });
    first.schedules.put('gone', { ...rest, function: 'gone' });
    expect(first.schedules.drop('gone')).toBe(true);
    await first.stop();
    clocks.date = START + 5 * MINUTE;
    const second = await start(clocks, {}, storage);
    await hear(second, clocks, clocks.date);
    const counts = Object.fromEntries(Array.from(second.schedules.all, ({ id, counts: { fired } }) => [id, fired]));
    expect(counts).toEqual({ all: 5, once: 1, skip: 0 });
    expect(storage.count('all').total).toEqual([0, 5, 0]);
    expect(second.schedules.list().map(({ id, source }) => [id, source])).toEqual([
      ['all', 'put'],
      ['once', 'put'],
      ['skip', 'put'],
    ]);
  });

  for (const source of ['crontab', 'put'] as const) {
    it(`have missed nothing of another rhythm, given by ${source}`, async () => {
      const clocks = new SetClocks(START);
      const jobServer = await start(clocks, {}, new MemoryStorage());
      const write = (cron: string): void => {
        const options = { cron, function: 'f', missed: 'all', overlap: 'queue' } as const;
        if (source === 'put') jobServer.schedules.put('m', options);
        else jobServer.schedules.declare(source, { m: options });
      };
      write('0 13 * * *');
      await hear(jobServer, clocks, START);
      clocks.date = START + 30 * MINUTE;
      write('* * * * *');
      await hear(jobServer, clocks, START + 31 * MINUTE);
      expect(await uniques(jobServer)).toEqual([`m@${Date.UTC(2027, 0, 1, 12, 31) / 1_000}`]);
    });
  }

  it('leave declared ones to their source', async () => {
    const jobServer = await start(new SetClocks(START), { m: { cron: '@daily', function: 'f' } });
    expect(() => jobServer.schedules.put('m', { every: 1_000, function: 'g' })).toThrow('declared by options');
    expect(() => jobServer.schedules.drop('m')).toThrow('schedules.m: is declared by options: change it there');
    jobServer.schedules.declare('crontab', { c: { every: 1_000, function: 'g' } });
    expect(() => jobServer.schedules.declare('crontab', { m: { every: 1_000, function: 'g' } })).toThrow(
      'declared twice',
    );
    jobServer.schedules.declare('crontab', {});
    expect(jobServer.schedules.list().map(({ id }) => id)).toEqual(['m']);
  });

  it('submit a job beside the ticks when told', async () => {
    const jobServer = await start(new SetClocks(START), {
      m: { cron: '@daily', function: 'f', workload: { json: [1] } },
    });
    const handle = await jobServer.schedules.run('m');
    expect(coreOf(jobServer).engine.find(handle!)?.unique).toBe(`m@${START / 1_000}`);
    expect(await jobServer.schedules.run('n')).toBeUndefined();
  });
});
