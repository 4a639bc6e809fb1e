import { describe, expect, it } from '@jest/globals';
import { lastTickIn } from '../../lib/job-server/storage/index.js';
import type { ContractContext } from './job-storage.contract.js';
import { addAll, handlesOf, newJob, NOW } from './recorded-storage.js';

/** Ticks of schedules, each fired once. */
export function describeTicks(at: ContractContext): void {
  const fire = (...args: Parameters<typeof at.storage.fire>) => at.storage.fire(...args);
  const last = () => lastTickIn(at.storage.settings(), 'nightly');

  describe('firing ticks', () => {
    it('adds a job and remembers the tick, and fires no tick that is not later', async () => {
      const job = newJob({ unique: 'nightly@1700000000' });
      expect(await fire('nightly', NOW, job)).toBe('fired');
      expect(last()).toEqual({ tick: NOW, handle: job.handle });
      expect(await fire('nightly', NOW, newJob())).toBe('known');
      expect(await fire('nightly', NOW - 1, newJob())).toBe('known');
      expect(await fire('hourly', NOW, newJob({ function: 'other' }))).toBe('fired');
      expect(handlesOf(await at.lease(9))).toEqual([job.handle]);
    });

    it('knows it after a restart, and when the job has ended', async () => {
      const job = newJob();
      await fire('nightly', NOW, job);
      await at.restart();
      expect(last()).toEqual({ tick: NOW, handle: job.handle });
      expect(handlesOf(await at.lease(9))).toEqual([job.handle]);
      at.storage.done(job.handle);
      await at.restart();
      expect(await fire('nightly', NOW, newJob())).toBe('known');
      expect(await at.lease(9)).toEqual([]);
      expect(await fire('nightly', NOW + 1_000, newJob())).toBe('fired');
    });

    it('fires once of several that come at the same moment', async () => {
      const jobs = [newJob(), newJob(), newJob()];
      const outcomes = await Promise.all(jobs.map((job) => fire('nightly', NOW, job)));
      expect([...outcomes].sort()).toEqual(['fired', 'known', 'known']);
      expect(at.storage.count('reverse').total).toEqual([0, 1, 0]);
      expect(handlesOf(await at.lease(9))).toEqual([last()!.handle]);
    });

    it('fires later ticks that come at the same moment, in any number', async () => {
      const ticks = [0, 1, 2, 3].map((index) => NOW + index * 1_000);
      const outcomes = await Promise.all(ticks.map((tick) => fire('nightly', tick, newJob())));
      expect(outcomes[0]).toBe('fired');
      const fired = outcomes.filter((outcome) => outcome === 'fired').length;
      expect(at.storage.count('reverse').total).toEqual([0, fired, 0]);
      expect(await fire('nightly', ticks.at(-1)!, newJob())).toBe('known');
    });

    it('fires the ticks of many schedules that come together, some with a job that is there, some without', async () => {
      const ids = Array.from({ length: 1_200 }, (_, number) => `s${number}`);
      const jobs = ids.map((id, number) => newJob({ function: `f${number % 7}`, unique: number % 3 ? id : 'same' }));
      await fire('s5', NOW, newJob({ function: 'other' }));
      const first = await Promise.all(ids.map((id, number) => fire(id, NOW, jobs[number])));
      expect(first.filter((outcome) => outcome === 'known')).toEqual([first[5]]);
      const waiting = at.storage.counts().reduce((sum, { total }) => sum + total[1], 0);
      // Of a function's jobs with one unique there is one.
      expect(waiting).toBe(7 + 800);
      const second = await Promise.all(
        ids.map((id, number) => fire(id, NOW + 1_000, number % 2 ? undefined : newJob({ function: `g${number % 5}` }))),
      );
      expect(new Set(second)).toEqual(new Set(['fired']));
      await at.restart();
      const ticks = ids.map((id) => lastTickIn(at.storage.settings(), id));
      expect(new Set(ticks.map((tick) => tick?.tick))).toEqual(new Set([NOW + 1_000]));
      // The one that was passed over still says what was fired last.
      expect(ticks[7]).toEqual({ tick: NOW + 1_000, handle: jobs[7]!.handle });
      const found = await Promise.all(jobs.map(({ handle }) => at.storage.findByHandle(handle)));
      expect(found.filter((each) => each?.state === 'waiting')).toHaveLength(7 + 800 - 1);
    });

    it('passes a tick over without a job, and still knows the job fired last', async () => {
      expect(await fire('nightly', NOW)).toBe('fired');
      expect(last()).toEqual({ tick: NOW, handle: undefined });
      const job = newJob();
      expect(await fire('nightly', NOW + 1_000, job)).toBe('fired');
      expect(await fire('nightly', NOW + 2_000)).toBe('fired');
      expect(await fire('nightly', NOW + 2_000, newJob())).toBe('known');
      await at.restart();
      expect(last()).toEqual({ tick: NOW + 2_000, handle: job.handle });
      expect(handlesOf(await at.lease(9))).toEqual([job.handle]);
    });

    it('lets a waiting job with its unique do for it', async () => {
      const [old] = await addAll(at.storage, newJob({ unique: 'u' }));
      expect(await fire('nightly', NOW, newJob({ unique: 'u' }))).toBe('fired');
      expect(await fire('nightly', NOW, newJob())).toBe('known');
      expect(handlesOf(await at.lease(9))).toEqual([old]);
    });

    it('keeps the time of a job that is to run later', async () => {
      const job = newJob({ at: NOW + 5_000 });
      await fire('nightly', NOW, job);
      await at.restart();
      expect(await at.lease(9, NOW)).toEqual([]);
      expect(handlesOf(await at.lease(9, NOW + 5_000))).toEqual([job.handle]);
    });

    it('fires again what was forgotten', async () => {
      await fire('nightly', NOW, newJob());
      at.storage.set('tick:nightly', undefined);
      expect(last()).toBeUndefined();
      expect(await fire('nightly', NOW, newJob())).toBe('fired');
      await at.restart();
      expect(at.storage.count('reverse').total).toEqual([0, 2, 0]);
      expect(last()?.tick).toBe(NOW);
    });

    it('refuses what cannot be kept', async () => {
      const refused = { code: 'GEARMAN_STORAGE_INVALID' };
      await expect(fire('', NOW, newJob())).rejects.toMatchObject(refused);
      await expect(fire('x'.repeat(256), NOW, newJob())).rejects.toMatchObject(refused);
      await expect(fire('nightly', 0.5, newJob())).rejects.toMatchObject(refused);
      await expect(fire('nightly', NOW, newJob({ function: '' }))).rejects.toMatchObject(refused);
      expect(last()).toBeUndefined();
    });
  });
}
