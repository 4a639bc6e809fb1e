import { describe, expect, it } from '@jest/globals';
import type { ContractContext } from './job-storage.contract.js';
import { add, addAll, allOf, handlesOf, newJob, NOW } from './recorded-storage.js';

/** Dead letters, listings, opening and closing. */
export function describeKeeping(at: ContractContext): void {
  describe('dead letters', () => {
    const buryOne = async (job = newJob()): Promise<string> => {
      await addAll(at.storage, job);
      await at.storage.leaseOne(job.handle);
      at.storage.bury(job.handle, 'boom', NOW);
      return job.handle;
    };

    it('keeps a buried job with its last error, out of the queue, its unique free', async () => {
      const handle = await buryOne(newJob({ unique: 'u', attempts: 3 }));
      expect(await at.lease(9)).toEqual([]);
      expect(at.storage.counts()).toEqual([]);
      expect(await at.storage.findByUnique('u', 'reverse')).toBeUndefined();
      await at.restart();
      const letter = { job: { handle, unique: 'u', attempts: 3 }, error: 'boom', diedAt: NOW };
      expect(await allOf(at.storage.deadLetters())).toMatchObject([letter]);
      expect(await at.storage.findByHandle(handle)).toMatchObject({ state: 'dead', letter });
      expect(await at.lease(9)).toEqual([]);
    });

    it('replays one: it waits behind all others, without attempts', async () => {
      const handle = await buryOne(newJob({ attempts: 3, losses: 2, at: NOW - 9 }));
      const [other] = await addAll(at.storage, newJob());
      expect(await at.storage.replay(handle)).toBe(true);
      expect(await at.storage.replay(handle)).toBe(false);
      await at.restart();
      expect(await at.storage.lease('reverse', 1, 9, NOW)).toMatchObject([
        { handle: other },
        { handle, attempts: 0, losses: 0, at: 0 },
      ]);
      expect(await allOf(at.storage.deadLetters())).toEqual([]);
    });

    it('does not replay one whose unique another job has taken', async () => {
      const handle = await buryOne(newJob({ unique: 'u' }));
      const [other] = await addAll(at.storage, newJob({ unique: 'u' }));
      expect(await at.storage.replay(handle)).toBe(false);
      expect(await allOf(at.storage.deadLetters())).toHaveLength(1);
      expect(await at.storage.findByUnique('u', 'reverse')).toMatchObject({ job: { handle: other } });
    });

    it('purges one for good', async () => {
      const handle = await buryOne();
      expect(await at.storage.purge(handle)).toBe(true);
      expect(await at.storage.purge(handle)).toBe(false);
      await at.restart();
      expect(await allOf(at.storage.deadLetters())).toEqual([]);
      expect(await at.storage.findByHandle(handle)).toBeUndefined();
    });

    it('lists them in pages, of all functions or of one', async () => {
      const handles = [await buryOne(), await buryOne(newJob({ function: 'f' })), await buryOne()];
      const pages: string[][] = [];
      for await (const page of at.storage.deadLetters({ pageSize: 2 }))
        pages.push(handlesOf(page.map(({ job }) => job)));
      expect(pages).toEqual([handles.slice(0, 2), handles.slice(2)]);
      expect(await allOf(at.storage.deadLetters({ function: 'f' }))).toMatchObject([{ job: { handle: handles[1] } }]);
    });
  });

  describe('finding and counting', () => {
    it('finds a job by handle while it waits and while it is leased', async () => {
      const [handle] = (await addAll(at.storage, newJob())) as [string];
      expect(await at.storage.findByHandle(handle)).toMatchObject({ state: 'waiting', job: { handle } });
      await at.lease(1);
      expect(await at.storage.findByHandle(handle)).toMatchObject({ state: 'leased', job: { handle } });
      await at.restart();
      expect(await at.storage.findByHandle(handle)).toMatchObject({ state: 'waiting', job: { handle } });
      expect(await at.storage.findByHandle('H:nobody:1')).toBeUndefined();
    });

    it('finds a job by unique, of one function or of any, waiting or leased', async () => {
      const [handle] = (await addAll(at.storage, newJob({ unique: 'u' }), newJob({ function: 'f', unique: 'v' }))) as [
        string,
      ];
      expect(await at.storage.findByUnique('u')).toMatchObject({ state: 'waiting', job: { handle } });
      expect(await at.storage.findByUnique('u', 'f')).toBeUndefined();
      expect(await at.storage.findByUnique('w')).toBeUndefined();
      expect(await at.storage.findByUnique('')).toBeUndefined();
      await at.lease(1);
      const found = await at.storage.findByUnique('u', 'reverse');
      expect(found).toMatchObject({ state: 'leased', job: { handle } });
      expect(found).not.toHaveProperty('holder');
    });

    it('counts by function and priority, leased ones included, also after a restart', async () => {
      await addAll(
        at.storage,
        newJob(),
        newJob(),
        newJob({ priority: 0 }),
        newJob({ function: 'f', priority: 2, at: NOW }),
      );
      await at.lease(1);
      const f = { function: 'f', total: [0, 0, 1], waiting: [0, 0, 1], scheduled: [0, 0, 1] };
      const reverse = { function: 'reverse', total: [1, 2, 0], scheduled: [0, 0, 0] };
      const sorted = (): unknown[] => at.storage.counts().sort((a, b) => (a.function < b.function ? -1 : 1));
      expect(sorted()).toEqual([f, { ...reverse, waiting: [1, 1, 0] }]);
      await at.restart();
      expect(sorted()).toEqual([f, { ...reverse, waiting: [1, 2, 0] }]);
      expect(at.storage.count('f')).toEqual(f);
      const none = [0, 0, 0];
      expect(at.storage.count('nobody')).toEqual({ function: 'nobody', total: none, waiting: none, scheduled: none });
    });

    it('counts what waits and what is leased apart, whatever becomes of a job', async () => {
      const waiting = (): readonly number[] => at.storage.count('reverse').waiting;
      const [one, two, three] = (await addAll(at.storage, newJob(), newJob(), newJob({ at: NOW + 5 }))) as [
        string,
        string,
        string,
      ];
      const leased = newJob();
      await add(at.storage, leased, 'always').stored;
      expect(waiting()).toEqual([0, 3, 0]);
      await at.lease(2);
      await at.storage.leaseOne(three);
      expect(waiting()).toEqual([0, 0, 0]);
      at.storage.release(three, { at: 0 });
      at.storage.change(two, { losses: 1 });
      expect(waiting()).toEqual([0, 1, 0]);
      at.storage.bury(one, 'boom', NOW);
      at.storage.done(leased.handle);
      expect(at.storage.count('reverse')).toMatchObject({ total: [0, 2, 0], waiting: [0, 1, 0] });
      await at.storage.remove(two);
      expect(await at.storage.replay(one)).toBe(true);
      expect(at.storage.count('reverse')).toMatchObject({ total: [0, 2, 0], waiting: [0, 2, 0] });
    });

    it('lists all jobs in pages, waiting and leased, of all functions or of one', async () => {
      const handles = await addAll(at.storage, newJob(), newJob(), newJob({ at: NOW + 5 }), newJob({ function: 'f' }));
      await at.lease(1);
      expect(handlesOf(await allOf(at.storage.iterate({ pageSize: 3 }))).sort()).toEqual([...handles].sort());
      expect(handlesOf(await allOf(at.storage.iterate({ function: 'f' })))).toEqual(handles.slice(3));
      expect(await allOf(at.storage.iterate({ function: 'nobody' }))).toEqual([]);
    });
  });

  describe('holding nothing up', () => {
    /** What happened up to the last page, in its order: the pages, and the event loop's first turn after each. */
    async function interleaved(pages: AsyncIterable<unknown[]>): Promise<string[]> {
      const seen: string[] = [];
      for await (const page of pages) {
        seen.push(`page of ${page.length}`);
        setImmediate(() => seen.push('turn'));
      }
      return seen.slice(0, seen.findLastIndex((step) => step !== 'turn') + 1);
    }

    it('lets the event loop have a turn between the pages of jobs, however few are of the function', async () => {
      for (let count = 0; count < 5; count++) await addAll(at.storage, newJob(), newJob({ function: 'f' }));
      const pages = ['page of 2', 'turn', 'page of 2', 'turn', 'page of 1'];
      expect(await interleaved(at.storage.iterate({ pageSize: 2, function: 'f' }))).toEqual(pages);
      expect(await interleaved(at.storage.iterate({ pageSize: 4 }))).toEqual([
        'page of 4',
        'turn',
        'page of 4',
        'turn',
        'page of 2',
      ]);
    });

    it('lets the event loop have a turn between the pages of dead letters', async () => {
      const handles = await addAll(at.storage, newJob(), newJob(), newJob(), newJob(), newJob());
      await at.lease(5);
      for (const handle of handles) at.storage.bury(handle, 'it failed', NOW);
      const pages = ['page of 2', 'turn', 'page of 2', 'turn', 'page of 1'];
      expect(await interleaved(at.storage.deadLetters({ pageSize: 2 }))).toEqual(pages);
    });

    it('ends a listing however many jobs come meanwhile', async () => {
      await addAll(at.storage, newJob(), newJob(), newJob());
      let count = 0;
      for await (const page of at.storage.iterate({ pageSize: 1 })) {
        count += page.length;
        // Two come for each that is told: a listing that told them all would not end.
        if (count < 100) await addAll(at.storage, newJob(), newJob());
      }
      expect(count).toBeLessThan(100);
    });
  });

  describe('opening and closing', () => {
    it('refuses to be opened twice', async () => {
      await expect(at.storage.open(at.listener)).rejects.toMatchObject({ code: 'GEARMAN_STORAGE_IN_USE' });
    });

    it('refuses every call when it is closed, and takes none for an accepted job', async () => {
      await at.storage.close();
      const closed = { code: 'GEARMAN_STORAGE_CLOSED' };
      await expect(add(at.storage, newJob(), true).stored).rejects.toMatchObject(closed);
      await expect(at.lease(1)).rejects.toMatchObject(closed);
      await expect(at.storage.findByHandle('H:nobody:1')).rejects.toMatchObject(closed);
      await expect(at.storage.flush()).rejects.toMatchObject(closed);
      at.storage.done('H:nobody:1');
      await at.storage.close();
    });

    it('writes what is not durable yet before it closes', async () => {
      const job = newJob();
      const { stored } = add(at.storage, job, false);
      await at.restart();
      expect(await stored).toBeUndefined();
      expect(handlesOf(await at.lease(9))).toEqual([job.handle]);
    });
  });
}
