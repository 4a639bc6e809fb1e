import { describe, expect, it } from '@jest/globals';
import { until } from '../support/until.js';
import type { ContractContext } from './job-storage.contract.js';
import { addAll, newJob, NOW } from './recorded-storage.js';

/** What a storage tells of itself. */
export function describeHealth(at: ContractContext): void {
  describe('health', () => {
    const dead = (): [string, number][] => [...(at.storage.health().dead ?? [])].sort();

    it('has nothing waiting once all is durable, and tells of every write as one', async () => {
      const before = at.storage.health().writes.changes.count;
      await addAll(at.storage, newJob(), newJob());
      await at.storage.flush();
      const { backlog, writes } = at.storage.health();
      expect(backlog).toBe(0);
      expect(writes.took.count).toBe(writes.changes.count);
      expect(writes.changes.count - before).toBeLessThanOrEqual(2);
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
