import { describe, expect, it } from '@jest/globals';
import type { ContractContext } from './job-storage.contract.js';
import { add, addAll, bytesOf, handlesOf, newJob, NOW } from './recorded-storage.js';
import { until } from '../support/until.js';

/** Adding, leasing and uniques. */
export function describeQueueing(at: ContractContext): void {
  describe('adding and leasing', () => {
    it('gives jobs out in the order they were accepted, each once', async () => {
      const handles = await addAll(at.storage, newJob(), newJob(), newJob());
      expect(handlesOf(await at.lease(2))).toEqual(handles.slice(0, 2));
      expect(handlesOf(await at.lease(2))).toEqual(handles.slice(2));
      expect(await at.lease(2)).toEqual([]);
    });

    it('keeps functions and priorities apart', async () => {
      const [low] = await addAll(at.storage, newJob({ priority: 2 }));
      const [high] = await addAll(at.storage, newJob({ priority: 0 }));
      const [other] = await addAll(at.storage, newJob({ function: 'rever' }));
      const [reversed] = await addAll(at.storage, newJob({ function: 'reverse2' }));
      expect(handlesOf(await at.storage.lease('reverse', 0, 9, NOW))).toEqual([high]);
      expect(await at.storage.lease('reverse', 1, 9, NOW)).toEqual([]);
      expect(handlesOf(await at.storage.lease('reverse', 2, 9, NOW))).toEqual([low]);
      expect(handlesOf(await at.storage.lease('rever', 1, 9, NOW))).toEqual([other]);
      expect(handlesOf(await at.storage.lease('reverse2', 1, 9, NOW))).toEqual([reversed]);
    });

    it('gives back every field as it came, byte for byte, also after a restart', async () => {
      const everyByte = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
      const job = newJob({
        function: '\xe9\xff\x01',
        unique: 'caf\xe9 \x00\xff',
        reducer: 'r\xfcck',
        priority: 0,
        workload: everyByte,
        at: NOW - 5,
        attempts: 3,
        losses: 70_000,
        acceptedAt: NOW - 9,
      });
      await addAll(at.storage, job);
      await at.restart();
      const [leased] = await at.storage.lease(job.function, 0, 1, NOW);
      expect({ ...leased, workload: bytesOf(leased?.workload) }).toEqual({
        ...job,
        workload: everyByte,
        sequence: expect.any(Number),
      });
    });

    it.each([0, 1, 100, 255, 256, 4_095, 4_096, 70_000, 1_500_000])('keeps a workload of %i bytes', async (bytes) => {
      const workload = Buffer.alloc(bytes, 'no\xff', 'latin1');
      await addAll(at.storage, newJob({ workload }), newJob({ workload: workload.toString('latin1') }));
      await at.restart();
      const jobs = await at.storage.lease('reverse', 1, 9, NOW);
      expect(jobs.map((job) => bytesOf(job.workload).equals(workload))).toEqual([true, true]);
    });

    it('leases a job to its adder at once when none is older, and only then', async () => {
      expect(add(at.storage, newJob(), true).isLeased).toBe(true);
      expect(add(at.storage, newJob(), false).isLeased).toBe(false);
      const third = add(at.storage, newJob(), true);
      expect(third.isLeased).toBe(false);
      await third.stored;
      expect(await at.lease(9)).toHaveLength(2);
      expect(add(at.storage, newJob(), true).isLeased).toBe(true);
      expect(add(at.storage, newJob({ at: NOW + 1 }), true).isLeased).toBe(false);
      expect(add(at.storage, newJob({ priority: 0 }), true).isLeased).toBe(true);
    });

    it('leases a job that runs already to its adder, whatever waits before it', async () => {
      const [first, second] = await addAll(at.storage, newJob(), newJob());
      const running = newJob({ unique: 'u' });
      const addition = add(at.storage, running, 'always');
      expect(addition.isLeased).toBe(true);
      const [last] = await addAll(at.storage, newJob());
      await addition.stored;
      expect(await at.storage.findByHandle(running.handle)).toMatchObject({ state: 'leased' });
      expect(handlesOf(await at.lease(9))).toEqual([first, second, last]);
      at.storage.release(running.handle);
      expect(handlesOf(await at.lease(9))).toEqual([running.handle]);
      at.storage.done(running.handle);
      expect(at.storage.count('reverse').total).toEqual([0, 3, 0]);
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual([first, second, last]);
    });

    it('tells which functions and priorities have jobs to lease', async () => {
      await addAll(at.storage, newJob(), newJob({ function: 'f', priority: 2 }), newJob());
      await until('both are told', () => new Set(at.listener.readyQueues).size === 2);
      expect([...new Set(at.listener.readyQueues)].sort()).toEqual(['f/2', 'reverse/1']);
    });

    it('refuses what it could not keep, with a code', async () => {
      const invalid = { code: 'GEARMAN_STORAGE_INVALID' };
      await expect(add(at.storage, newJob({ function: '' }), true).stored).rejects.toMatchObject(invalid);
      await expect(add(at.storage, newJob({ function: 'f'.repeat(1_001) }), true).stored).rejects.toMatchObject(
        invalid,
      );
      await expect(add(at.storage, newJob({ handle: 'h'.repeat(256) }), true).stored).rejects.toMatchObject(invalid);
      for (const time of [-1, 1.5, NaN, Infinity]) {
        await expect(add(at.storage, newJob({ at: time }), true).stored).rejects.toMatchObject(invalid);
      }
      expect(at.storage.counts()).toEqual([]);
    });
  });

  describe('uniques', () => {
    it('answers the existing job for a known function and unique, waiting or leased', async () => {
      const [first] = await addAll(at.storage, newJob({ unique: 'u' }));
      const again = add(at.storage, newJob({ unique: 'u', priority: 0 }), true);
      expect(again.isLeased).toBe(false);
      expect(await again.stored).toMatchObject({ handle: first, priority: 1 });
      await at.lease(1);
      expect(await add(at.storage, newJob({ unique: 'u' }), false).stored).toMatchObject({ handle: first });
      expect(at.storage.count('reverse').total).toEqual([0, 1, 0]);
    });

    it('answers both of two submissions of the same moment with one job', async () => {
      const one = newJob({ unique: 'u' });
      const additions = [add(at.storage, one, false), add(at.storage, newJob({ unique: 'u' }), false)];
      const [added, existing] = await Promise.all(additions.map(({ stored }) => stored));
      expect(added).toBeUndefined();
      expect(existing).toMatchObject({ handle: one.handle });
    });

    it('answers any number of submissions of the same moment', async () => {
      const additions = Array.from({ length: 20_000 }, () => add(at.storage, newJob({ unique: 'u' }), false));
      const told = await Promise.all(additions.map(({ stored }) => stored));
      expect(told.filter((existing) => existing === undefined)).toHaveLength(1);
    });

    it('keeps the same unique of two functions, and jobs without a unique, apart', async () => {
      await addAll(at.storage, newJob({ unique: 'u' }), newJob(), newJob());
      expect(await add(at.storage, newJob({ unique: 'u', function: 'other' }), false).stored).toBeUndefined();
      expect(at.storage.count('reverse').total).toEqual([0, 3, 0]);
    });

    it('tells long uniques with a common beginning apart', async () => {
      const [one, two] = ['1', '2'].map((end) => 'long'.repeat(5_000) + end) as [string, string];
      const [first] = await addAll(at.storage, newJob({ unique: one }), newJob({ unique: two }));
      expect(at.storage.count('reverse').total).toEqual([0, 2, 0]);
      expect(await at.storage.findByUnique(one, 'reverse')).toMatchObject({ job: { handle: first, unique: one } });
    });

    it('frees a unique when its job has ended, also when it is added again at once', async () => {
      add(at.storage, newJob({ unique: 'u' }), true);
      const jobs = [newJob({ unique: 'u' }), newJob({ unique: 'u' })] as const;
      await at.storage.flush();
      const [first] = handlesOf([(await at.storage.findByUnique('u', 'reverse'))?.job ?? { handle: 'none' }]);
      at.storage.done(first as string);
      expect(await at.storage.findByUnique('u', 'reverse')).toBeUndefined();
      expect(await add(at.storage, jobs[0], true).stored).toBeUndefined();
      at.storage.done(jobs[0].handle);
      expect(await add(at.storage, jobs[1], false).stored).toBeUndefined();
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual([jobs[1].handle]);
      expect(await at.storage.findByUnique('u', 'reverse')).toMatchObject({ job: { handle: jobs[1].handle } });
    });

    it('knows a unique after a restart', async () => {
      const [handle] = await addAll(at.storage, newJob({ unique: 'u' }));
      await at.restart();
      expect(await add(at.storage, newJob({ unique: 'u' }), true).stored).toMatchObject({ handle });
    });
  });
}
