import { describe, expect, it } from '@jest/globals';
import { JobServer, type ScheduleTable } from '../../lib/job-server/index.js';
import type { JobStorage } from '../../lib/job-server/storage/index.js';
import { Random } from '../support/random.js';
import { until } from '../support/until.js';

const START = Date.UTC(2027, 0, 1, 12);
const ROUNDS = 40;
/** How far the clocks of the machines are apart, in milliseconds. */
const SKEWS = [0, 5_000, -5_000];

const TABLE: ScheduleTable = Object.fromEntries(
  [1, 2, 3, 7].map((seconds) => [
    `every${seconds}`,
    { function: 'f', every: seconds * 1_000, missed: 'all', overlap: 'queue' },
  ]),
);

const PAUSED: ScheduleTable = { every1: { function: 'f', every: 1_000, missed: 'skip', overlap: 'queue' } };

/** A job server of a fleet: what it reads its dates from, and whether it is cut off from the others. */
class Member {
  date: number;
  /** By how much its durations have been moved on, in milliseconds. */
  passed = 0;
  isStopped = false;
  readonly jobServer: JobServer;

  constructor(
    storage: JobStorage,
    private readonly skew: number,
    schedules = TABLE,
  ) {
    this.date = START + skew;
    this.jobServer = new JobServer({ listeners: [], storage, schedules }, this);
  }

  get now(): number {
    return performance.now() + this.passed;
  }

  /** Looks at its clock, and does what is due. */
  async look(seconds: number): Promise<void> {
    this.passed += START + this.skew + seconds * 1_000 - this.date;
    this.date = START + this.skew + seconds * 1_000;
    this.jobServer.schedules.tick(this);
    await until('nothing fires', () => [...this.jobServer.schedules.all].every(({ isBusy }) => !isBusy));
  }

  get hasTrouble(): boolean {
    return [...this.jobServer.schedules.all].some(({ trouble }) => trouble !== undefined);
  }

  fired(id: string): number {
    return [...this.jobServer.schedules.all].find((job) => job.id === id)!.counts.fired;
  }
}

/** What job servers that share a storage promise of schedules; an implementation's test calls this with three owners of one. */
export function describeScheduleFleet(name: string, makeStorages: () => Promise<JobStorage[]>): void {
  describe(`three job servers on ${name}`, () => {
    it('fire every tick once, whoever is stopped meanwhile and whatever their clocks say', async () => {
      const storages = await makeStorages();
      const members = storages.map((storage, index) => new Member(storage, SKEWS[index]!));
      try {
        for (const { jobServer } of members) await jobServer.start();
        const chance = new Random(7);
        for (let round = 1; round <= ROUNDS; round++) {
          // A stopped one goes on where it was, and believes that it is that time still.
          for (const member of members) if (chance.next() < 0.3) member.isStopped = !member.isStopped;
          await Promise.all(members.filter(({ isStopped }) => !isStopped).map((member) => member.look(round)));
        }
        let round = ROUNDS;
        // What a busy database did not answer in time is tried again a second later.
        await until('nothing has failed to fire', async () => {
          for (const member of members) await member.look(round);
          if (!members.some((member) => member.hasTrouble)) return true;
          round++;
          return false;
        });
        const end = START + Math.max(...SKEWS) + round * 1_000;
        const uniques: string[] = [];
        for await (const page of storages[0]!.iterate()) uniques.push(...page.map(({ unique }) => unique));
        for (const [id, { every }] of Object.entries(TABLE)) {
          const ticks: number[] = [];
          for (let tick = (Math.floor(START / every!) + 1) * every!; tick <= end; tick += every!) ticks.push(tick);
          const wanted = ticks.map((tick) => `${id}@${tick / 1_000}`);
          expect(uniques.filter((unique) => unique.startsWith(`${id}@`)).sort()).toEqual(wanted);
          // A job that came twice with one unique would be one in the storage.
          expect(members.reduce((sum, member) => sum + member.fired(id), 0)).toBe(ticks.length);
        }
        expect(members.filter((member) => member.fired('every1') > 0).length).toBeGreaterThan(1);
      } finally {
        for (const { jobServer } of members) await jobServer.stop();
      }
    });

    it('pause and resume a declared schedule on all, and what passed meanwhile was not missed', async () => {
      const storages = await makeStorages();
      const [one, other] = storages.map((storage) => new Member(storage, 0, PAUSED)) as [Member, Member];
      const isPaused = ({ jobServer }: Member): boolean => jobServer.schedules.find('every1')!.isPaused;
      try {
        for (const { jobServer } of [one, other]) await jobServer.start();
        for (const member of [one, other]) await member.look(1);
        one.jobServer.schedules.pause('every1');
        // What one sets, the others know soon, and not at once.
        const known = (): Promise<unknown> => {
          const kept = (storage: JobStorage): string => JSON.stringify([...storage.settings()].sort());
          return until('the storage of the other one knows', () => kept(storages[0]!) === kept(storages[1]!));
        };
        await known();
        await until('the other one has read that it is paused', async () => {
          await other.look(7);
          return isPaused(other);
        });
        for (const member of [one, other]) await member.look(60);
        one.jobServer.schedules.resume('every1');
        await known();
        let second = 60;
        await until('the other one has read that it goes on', async () => {
          second++;
          await other.look(second);
          await one.look(second);
          return !isPaused(other);
        });
        await other.look(++second);
        const ticks: number[] = [];
        for await (const page of storages[0]!.iterate()) {
          for (const { unique } of page) {
            const [id, tick] = unique.split('@');
            if (id === 'every1') ticks.push(Number(tick) - START / 1_000);
          }
        }
        const wanted = [1, ...Array.from({ length: second - 60 }, (_, index) => 61 + index)];
        expect(ticks.sort((a, b) => a - b)).toEqual(wanted);
        const missed = [...other.jobServer.schedules.all].find(({ id }) => id === 'every1')!.counts.missed;
        expect(missed).toBe(0);
      } finally {
        for (const { jobServer } of [one, other]) await jobServer.stop();
      }
    });
  });
}
