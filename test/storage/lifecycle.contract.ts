import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { ContractContext } from './job-storage.contract.js';
import { add, addAll, bytesOf, handlesOf, newJob, NOW } from './recorded-storage.js';

/** What happens to a leased job. */
export function describeLifecycle(at: ContractContext): void {
  describe('ending', () => {
    it('forgets a job that is done, also after a restart', async () => {
      const [first, second] = await addAll(at.storage, newJob(), newJob());
      await at.lease(1);
      at.storage.done(first as string);
      expect(await at.storage.findByHandle(first as string)).toBeUndefined();
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual([second]);
    });

    it('resolves the add of a job that ended before it was written', async () => {
      const job = newJob({ unique: 'u' });
      const { stored } = add(at.storage, job, true);
      at.storage.done(job.handle);
      expect(await stored).toBeUndefined();
      await at.restart();
      expect(await at.lease(9)).toEqual([]);
      expect(at.storage.counts()).toEqual([]);
      expect(await at.storage.findByUnique('u', 'reverse')).toBeUndefined();
    });

    it('leaves a job alone that the caller does not hold', async () => {
      const [handle] = (await addAll(at.storage, newJob())) as [string];
      at.storage.done(handle);
      at.storage.bury(handle, 'not mine', NOW);
      at.storage.release(handle, { at: NOW + 5 });
      at.storage.change(handle, { losses: 7 });
      at.storage.done('H:nobody:1');
      expect(await at.storage.lease('reverse', 1, 9, NOW)).toMatchObject([{ handle, at: 0, losses: 0 }]);
    });

    it('answers who asks while jobs come and end without a pause', async () => {
      const [handle] = (await addAll(at.storage, newJob({ function: 'kept' }))) as [string];
      let isOver = false;
      const flow = async (_: unknown, start: number): Promise<void> => {
        for (let count = start; !isOver; count++) {
          const job = newJob({ unique: `${Math.random()}` });
          await add(at.storage, job, true).stored;
          at.storage.done(job.handle);
          // Some storages tell it at once: nobody else would have a turn.
          if (count % 20 === 0) await nextTurn();
        }
      };
      const flows = Array.from({ length: 20 }, flow);
      await at.storage.flush();
      expect(await at.storage.findByHandle(handle)).toMatchObject({ state: 'waiting' });
      expect(handlesOf(await at.storage.lease('kept', 1, 9, NOW))).toEqual([handle]);
      at.storage.release(handle);
      expect(handlesOf(await at.storage.lease('kept', 1, 9, NOW))).toEqual([handle]);
      isOver = true;
      await Promise.all(flows);
    });

    it('keeps an outcome until its time is over', async () => {
      const [one, two] = (await addAll(at.storage, newJob(), newJob())) as [string, string];
      await at.lease(2);
      const outcome = { state: 'complete', result: bytesOf('olleH'), keepUntil: NOW + 10 } as const;
      at.storage.done(one, outcome);
      at.storage.done(two, { state: 'failed', result: '', keepUntil: NOW + 20 });
      expect(await at.storage.findByHandle(one)).toMatchObject({ state: 'ended', function: 'reverse' });
      await at.restart();
      const found = await at.storage.findByHandle(one);
      if (found?.state !== 'ended') throw new Error(`found ${found?.state}`);
      expect({ ...found.outcome, result: bytesOf(found.outcome.result) }).toEqual(outcome);
      expect(at.storage.counts()).toEqual([]);
      expect(await at.storage.forget(NOW + 9)).toBe(0);
      expect(await at.storage.forget(NOW + 10)).toBe(1);
      expect(await at.storage.findByHandle(one)).toBeUndefined();
      await at.restart();
      expect(await at.storage.findByHandle(two)).toMatchObject({ outcome: { state: 'failed' } });
      expect(await at.storage.forget(NOW + 30, 1)).toBe(1);
      expect(await at.storage.forget(NOW + 30, 1)).toBe(0);
    });

    it('takes a cancelled job out, waiting or leased', async () => {
      const [one, two, three] = (await addAll(at.storage, newJob(), newJob(), newJob())) as [string, string, string];
      await at.lease(1);
      expect(await at.storage.remove(one)).toBe('removed');
      expect(await at.storage.remove(three)).toBe('removed');
      expect(await at.storage.remove(three)).toBe('unknown');
      expect(await at.storage.remove('H:nobody:1')).toBe('unknown');
      expect(at.storage.count('reverse').total).toEqual([0, 1, 0]);
      expect(handlesOf(await at.lease(9))).toEqual([two]);
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual([two]);
    });
  });

  describe('giving back', () => {
    it('puts a released job in its old place', async () => {
      const [one, two, three, four] = await addAll(at.storage, newJob(), newJob(), newJob(), newJob());
      await at.lease(3);
      at.storage.release(two as string);
      at.storage.release(one as string);
      expect(handlesOf(await at.lease(1))).toEqual([one]);
      at.storage.release(one as string);
      at.storage.release(three as string);
      expect(handlesOf(await at.lease(9))).toEqual([one, two, three, four]);
    });

    it('keeps changed counters, of released jobs and of leased ones, also after a restart', async () => {
      const [one, two] = (await addAll(at.storage, newJob(), newJob())) as [string, string];
      await at.lease(2);
      at.storage.release(one, { attempts: 2 });
      at.storage.change(two, { losses: 1 });
      expect(await at.storage.lease('reverse', 1, 9, NOW)).toMatchObject([{ handle: one, attempts: 2, losses: 0 }]);
      at.storage.change(one, { attempts: 3 });
      await at.restart();
      expect(await at.storage.lease('reverse', 1, 9, NOW)).toMatchObject([
        { handle: one, attempts: 3, losses: 0 },
        { handle: two, attempts: 0, losses: 1 },
      ]);
    });

    it('lets all jobs wait again after a restart, in their old places', async () => {
      const handles = await addAll(at.storage, newJob(), newJob(), newJob());
      await at.lease(2);
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual(handles);
    });

    it('leases one job out of turn, once, and puts it back in its place', async () => {
      const [one, two, three] = (await addAll(at.storage, newJob(), newJob({ unique: 'u' }), newJob())) as [
        string,
        string,
        string,
      ];
      expect(await at.storage.leaseOne(two)).toMatchObject({ handle: two, unique: 'u' });
      expect(await at.storage.leaseOne(two)).toBeUndefined();
      expect(await at.storage.leaseOne('H:nobody:1')).toBeUndefined();
      expect(handlesOf(await at.lease(1))).toEqual([one]);
      at.storage.release(two);
      expect(handlesOf(await at.lease(9))).toEqual([two, three]);
    });

    it('holds a lease of a job that is not durable yet like any other', async () => {
      const job = newJob();
      const { isLeased, stored } = add(at.storage, job, true);
      expect(isLeased).toBe(true);
      at.storage.release(job.handle, { losses: 1 });
      await stored;
      expect(await at.storage.lease('reverse', 1, 9, NOW)).toMatchObject([{ handle: job.handle, losses: 1 }]);
    });
  });

  describe('jobs with a time', () => {
    it('holds them until their time, then gives them out by their times, before the others', async () => {
      const [late] = await addAll(at.storage, newJob({ at: NOW + 20 }));
      const [soon] = await addAll(at.storage, newJob({ at: NOW + 10 }));
      const [now] = await addAll(at.storage, newJob());
      expect(at.storage.due(NOW)).toEqual({ ready: [], next: NOW + 10 });
      expect(handlesOf(await at.lease(1, NOW + 9))).toEqual([now]);
      expect(await at.lease(9, NOW + 9)).toEqual([]);
      at.storage.release(now as string);
      expect(at.storage.due(NOW + 10).ready).toEqual([{ function: 'reverse', priority: 1 }]);
      expect(handlesOf(await at.lease(1, NOW + 20))).toEqual([soon]);
      expect(handlesOf(await at.lease(9, NOW + 20))).toEqual([late, now]);
      expect(at.storage.due(NOW + 20)).toEqual({ ready: [], next: Infinity });
    });

    it('counts them, and holds them over a restart', async () => {
      const [handle] = await addAll(at.storage, newJob({ at: NOW + 10 }));
      await at.restart();
      expect(at.storage.counts()).toEqual([
        { function: 'reverse', total: [0, 1, 0], waiting: [0, 1, 0], scheduled: [0, 1, 0] },
      ]);
      expect(at.storage.due(NOW)).toEqual({ ready: [], next: NOW + 10 });
      expect(await at.lease(9, NOW)).toEqual([]);
      expect(handlesOf(await at.lease(9, NOW + 10))).toEqual([handle]);
    });

    it('delays a released job, again and again, also over a restart', async () => {
      const [handle] = (await addAll(at.storage, newJob())) as [string];
      await at.lease(1);
      at.storage.release(handle, { at: NOW + 100, attempts: 1 });
      expect(await at.lease(1, NOW + 99)).toEqual([]);
      expect(at.storage.due(NOW).next).toBe(NOW + 100);
      expect(await at.storage.lease('reverse', 1, 1, NOW + 100)).toMatchObject([{ handle, attempts: 1 }]);
      at.storage.release(handle, { at: NOW + 300, attempts: 2 });
      await at.restart();
      expect(await at.lease(1, NOW + 299)).toEqual([]);
      expect(at.storage.due(NOW).next).toBe(NOW + 300);
      expect(await at.storage.lease('reverse', 1, 1, NOW + 300)).toMatchObject([
        { handle, attempts: 2, at: NOW + 300 },
      ]);
      at.storage.release(handle, { at: 0 });
      expect(at.storage.count('reverse').scheduled).toEqual([0, 0, 0]);
      expect(handlesOf(await at.lease(1, NOW))).toEqual([handle]);
    });

    it('holds one again whose time had come before the clock was put back', async () => {
      const [late] = await addAll(at.storage, newJob({ at: NOW + 20 }));
      const [soon] = await addAll(at.storage, newJob({ at: NOW + 10 }));
      expect(at.storage.due(NOW + 20).ready).toHaveLength(1);
      expect(at.storage.due(NOW)).toEqual({ ready: [], next: NOW + 10 });
      expect(await at.lease(9)).toEqual([]);
      expect(handlesOf(await at.lease(9, NOW + 10))).toEqual([soon]);
      expect(at.storage.due(NOW + 10)).toEqual({ ready: [], next: NOW + 20 });
      expect(handlesOf(await at.lease(9, NOW + 20))).toEqual([late]);
    });

    it('gives out a job whose time is before one that was leased already', async () => {
      const [first] = await addAll(at.storage, newJob({ at: NOW }));
      expect(handlesOf(await at.lease(1))).toEqual([first]);
      const [earlier] = await addAll(at.storage, newJob({ at: NOW - 10 }));
      expect(at.storage.due(NOW).ready).toHaveLength(1);
      expect(handlesOf(await at.lease(1))).toEqual([earlier]);
    });
  });
}
