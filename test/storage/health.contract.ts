import { describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import type { ContractContext } from './job-storage.contract.js';
import { addAll, newJob, NOW } from './recorded-storage.js';

/** What a storage tells of itself. */
export function describeHealth(at: ContractContext): void {
  describe('health', () => {
    const dead = (): [string, number][] => [...(at.storage.health().dead?.byFunction ?? [])].sort();

    it('has nothing waiting once all is durable, and tells of every write as one', async () => {
      const before = at.storage.health().writes.changes.count;
      await addAll(at.storage, newJob(), newJob());
      await at.storage.flush();
      const { backlog, writes } = at.storage.health();
      expect(backlog).toBe(0);
      expect(writes.took.count).toBe(writes.changes.count);
      expect(writes.changes.count - before).toBeLessThanOrEqual(2);
    });

    /** What the oldest job's time is, soon: a shared storage answers what it last knew. */
    const oldestIs = (time: number | undefined, now = NOW): Promise<unknown> =>
      until(`the oldest is of ${time}`, () => at.storage.oldest!('reverse', 1, now) === time);

    it('tells since when the oldest job waits that nobody has leased, also after a restart', async () => {
      if (!at.storage.oldest) return;
      expect(at.storage.oldest('reverse', 1, NOW)).toBeUndefined();
      await addAll(
        at.storage,
        newJob({ acceptedAt: NOW - 3_000, at: NOW + 500 }),
        newJob({ acceptedAt: NOW - 2_000 }),
        newJob({ acceptedAt: NOW - 1_000 }),
        newJob({ acceptedAt: NOW - 9_000, priority: 0 }),
        newJob({ acceptedAt: NOW - 9_000, function: 'other' }),
      );
      await oldestIs(NOW - 2_000);
      await at.restart();
      await oldestIs(NOW - 2_000);
      await at.lease(1);
      await oldestIs(NOW - 1_000);
      const [second] = await at.lease(1);
      await oldestIs(undefined);
      await oldestIs(undefined, NOW + 499);
      await oldestIs(NOW + 500, NOW + 600);
      at.storage.release(second!.handle);
      await oldestIs(NOW - 1_000);
      await at.storage.flush();
      await at.restart();
      await oldestIs(NOW - 2_000);
    });

    it('has no age for jobs of which nobody knows when they were accepted, nor after a restart', async () => {
      if (!at.storage.oldest) return;
      await addAll(at.storage, newJob(), newJob({ acceptedAt: NOW - 3_000, function: 'other' }));
      expect(at.storage.oldest('reverse', 1, NOW)).toBeUndefined();
      await at.restart();
      await until('the other is told', () => at.storage.oldest!('other', 1, NOW) === NOW - 3_000);
      expect(at.storage.oldest('reverse', 1, NOW)).toBeUndefined();
    });

    it('counts the age of a job that was replayed from then on, and of a retry from its time on', async () => {
      if (!at.storage.oldest) return;
      const job = newJob({ acceptedAt: NOW - 5_000 });
      await addAll(at.storage, job);
      await at.lease(1);
      at.storage.release(job.handle, { at: NOW + 100, attempts: 1 });
      await oldestIs(NOW + 100, NOW + 200);
      await at.storage.flush();
      await at.restart();
      await oldestIs(NOW + 100, NOW + 200);
      const [leased] = await at.lease(1, NOW + 200);
      expect(leased).toMatchObject({ acceptedAt: NOW - 5_000, attempts: 1 });
      at.storage.bury(job.handle, 'broken', NOW + 300);
      await at.storage.flush();
      expect(await at.storage.replay(job.handle, { acceptedAt: NOW + 400 })).toBe(true);
      await oldestIs(NOW + 400, NOW + 500);
      await at.storage.flush();
      await at.restart();
      await oldestIs(NOW + 400, NOW + 500);
    });

    it('replays a dead letter with another reducer, if one is given', async () => {
      const [one, two] = (await addAll(at.storage, newJob({ reducer: 'sum' }), newJob({ reducer: 'sum' }))) as string[];
      await at.lease(2);
      for (const handle of [one!, two!]) at.storage.bury(handle, 'broken', NOW);
      await at.storage.flush();
      await at.storage.replay(one!, { reducer: 'other' });
      await at.storage.replay(two!);
      await at.storage.flush();
      await at.restart();
      expect((await at.lease(2)).map(({ reducer }) => reducer)).toEqual(['other', 'sum']);
    });

    it('counts dead letters by function, as they come and go, and after a restart', async () => {
      if (!at.storage.health().dead) return;
      const jobs = await addAll(at.storage, newJob(), newJob(), newJob({ function: 'other' }));
      const [one, two, three] = jobs as [string, string, string];
      await at.lease(2);
      await at.storage.lease('other', 1, 1, NOW);
      for (const handle of jobs as string[]) at.storage.bury(handle, 'broken', NOW);
      const all: [string, number][] = [
        ['other', 1],
        ['reverse', 2],
      ];
      await at.storage.flush();
      await until('three are dead', () => dead().length === 2 && dead()[1]![1] === 2);
      expect(dead()).toEqual(all);
      await at.restart();
      expect(dead()).toEqual(all);
      expect(await at.storage.replay(one)).toBe(true);
      expect(await at.storage.purge(three)).toBe(true);
      await until('one is left', () => dead().length === 1);
      expect(dead()).toEqual([['reverse', 1]]);
      await at.storage.flush();
      await at.restart();
      expect(dead()).toEqual([['reverse', 1]]);
      expect(await at.storage.purge(two)).toBe(true);
      await until('none is left', () => dead().length === 0);
    });
  });
}
