import { describe, expect, it } from '@jest/globals';
import type { ContractContext } from './job-storage.contract.js';
import { addAll, allOf, bytesOf, handlesOf, newJob, NOW } from './recorded-storage.js';

/** Jobs that come from elsewhere, each taken once. */
export function describeTakingOnce(at: ContractContext): void {
  const take = (...args: Parameters<NonNullable<typeof at.storage.addOnce>>) => at.storage.addOnce!(...args);

  describe('taking jobs once', () => {
    it('takes a job, and no second one of the same origin', async () => {
      const first = newJob({ unique: 'u' });
      expect(await take(first, 'here/1')).toBe('added');
      expect(await take(newJob(), 'here/1')).toBe('known');
      expect(await take(newJob(), 'here/2')).toBe('added');
      expect(at.storage.count('reverse').total).toEqual([0, 2, 0]);
      expect(await at.storage.findByUnique('u', 'reverse')).toMatchObject({ job: { handle: first.handle } });
    });

    it('knows the origin of two that come at the same moment', async () => {
      const outcomes = await Promise.all([take(newJob(), 'here/1'), take(newJob(), 'here/1')]);
      expect(outcomes).toEqual(['added', 'known']);
      expect(at.storage.count('reverse').total).toEqual([0, 1, 0]);
    });

    it('knows it after a restart, and when the job has ended', async () => {
      await take(newJob(), 'here/1');
      await at.restart();
      const [job] = await at.lease(9);
      at.storage.done(job!.handle);
      await at.restart();
      expect(await take(newJob(), 'here/1')).toBe('known');
      expect(await at.lease(9)).toEqual([]);
    });

    it('knows it when the job was leased and done before it was written', async () => {
      const job = newJob();
      const taking = take(job, 'here/1');
      if (await at.storage.leaseOne(job.handle)) at.storage.done(job.handle);
      expect(await taking).toBe('added');
      await at.restart();
      expect(await take(newJob(), 'here/1')).toBe('known');
      expect(await at.lease(9)).toEqual([]);
    });

    it('keeps the order they come in, behind those that wait', async () => {
      const [old] = await addAll(at.storage, newJob());
      const [second, third] = [newJob(), newJob()];
      await Promise.all([take(second, 'here/1'), take(third, 'here/2')]);
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual([old, second.handle, third.handle]);
    });

    it('lets a waiting job with its unique do for both, and remembers the origin', async () => {
      const [old] = await addAll(at.storage, newJob({ unique: 'u' }));
      expect(await take(newJob({ unique: 'u' }), 'here/1')).toBe('coalesced');
      await at.restart();
      expect(handlesOf(await at.lease(9))).toEqual([old]);
      at.storage.done(old!);
      expect(await take(newJob({ unique: 'u' }), 'here/1')).toBe('known');
    });

    it('knows a job by its handle, and remembers the origin', async () => {
      const [handle] = await addAll(at.storage, newJob());
      expect(await take(newJob({ handle }), 'here/1')).toBe('known');
      await at.lease(9);
      at.storage.done(handle!);
      await at.restart();
      expect(await take(newJob({ handle }), 'here/1')).toBe('known');
      expect(await at.lease(9)).toEqual([]);
    });

    it('takes dead letters, whose unique stays free', async () => {
      await addAll(at.storage, newJob({ unique: 'u' }));
      const dead = newJob({ unique: 'u', attempts: 3 });
      expect(await take(dead, 'here/1', { error: 'boom', diedAt: NOW })).toBe('added');
      await at.restart();
      const letters = await allOf(at.storage.deadLetters());
      expect(letters).toMatchObject([{ job: dead, error: 'boom', diedAt: NOW }]);
      expect(at.storage.count('reverse').total).toEqual([0, 1, 0]);
      expect(await at.storage.purge(dead.handle)).toBe(true);
      expect(await take(dead, 'here/1', { error: 'boom', diedAt: NOW })).toBe('known');
    });

    it('takes what is kept of a job that has ended', async () => {
      const ended = newJob();
      const outcome = { state: 'failed', result: '\0\xff', keepUntil: NOW + 9 } as const;
      expect(await take(ended, 'here/1', outcome)).toBe('added');
      await at.restart();
      const found = await at.storage.findByHandle(ended.handle);
      expect(found).toMatchObject({
        state: 'ended',
        function: 'reverse',
        outcome: { state: 'failed', keepUntil: NOW + 9 },
      });
      expect(found?.state === 'ended' && bytesOf(found.outcome.result)).toEqual(Buffer.from([0, 0xff]));
      expect(at.storage.counts()).toEqual([]);
      expect(await take(ended, 'here/2')).toBe('known');
      expect(await at.storage.forget(NOW + 9)).toBe(1);
      expect(await take(ended, 'here/1', outcome)).toBe('known');
      expect(await at.storage.findByHandle(ended.handle)).toBeUndefined();
    });

    it('forgets origins when told', async () => {
      await Promise.all([take(newJob(), 'here/1'), take(newJob(), 'here/2')]);
      expect(await at.storage.forgetOrigins!()).toBe(2);
      await at.restart();
      expect(await take(newJob(), 'here/1')).toBe('added');
      expect(await at.storage.forgetOrigins!()).toBe(1);
    });

    it('refuses what cannot be kept', async () => {
      for (const origin of ['', 'x'.repeat(256)]) {
        await expect(take(newJob(), origin)).rejects.toMatchObject({ code: 'GEARMAN_STORAGE_INVALID' });
      }
      await expect(take(newJob({ function: '' }), 'x')).rejects.toMatchObject({ code: 'GEARMAN_STORAGE_INVALID' });
      expect(await take(newJob(), 'x'.repeat(255))).toBe('added');
    });
  });
}
