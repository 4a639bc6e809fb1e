import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobStorage, StoredJob } from '../../lib/job-server/storage/index.js';
import { add, addAll, allOf, handlesOf, newJob, NOW, RecordingListener } from './recorded-storage.js';
import { until } from '../support/until.js';

/** How a suite gets two owners of one storage, new and empty, and what to do when it is no longer needed. */
export interface SharingFixture {
  readonly one: JobStorage;
  readonly two: JobStorage;
  /** Has `two` take `one` for dead, which has stalled; `one` may still speak, and learns of it soon. */
  stall(): Promise<void>;
  dispose(): Promise<void>;
}

/** What a storage promises that several owners have open; an implementation's test calls this with its own fixture. */
export function describeSharing(name: string, makeFixture: () => Promise<SharingFixture>): void {
  describe(`${name} keeps the contract of a shared job storage:`, () => {
    let fixture: SharingFixture;
    let one: JobStorage;
    let two: JobStorage;
    let listeners: { readonly one: RecordingListener; readonly two: RecordingListener };
    const leaseAs = (owner: JobStorage, count: number): Promise<StoredJob[]> => owner.lease('reverse', 1, count, NOW);
    /** Waits until an owner sees what another one did. */
    const sees = (owner: JobStorage, waiting: number): Promise<unknown> =>
      until(`${waiting} jobs wait`, () => owner.count('reverse').waiting[1] === waiting);

    beforeEach(async () => {
      fixture = await makeFixture();
      ({ one, two } = fixture);
      listeners = { one: new RecordingListener(), two: new RecordingListener() };
      await one.open(listeners.one);
      await two.open(listeners.two);
    });

    afterEach(async () => {
      await one.close();
      await two.close();
      await fixture.dispose();
    });

    it('says that it is shared', () => {
      expect([one.isShared, two.isShared]).toEqual([true, true]);
    });

    it('tells the others of jobs to lease', async () => {
      const [handle] = await addAll(one, newJob());
      await until('the other is told', () => listeners.two.readyQueues.includes('reverse/1'));
      await sees(two, 1);
      expect(handlesOf(await leaseAs(two, 9))).toEqual([handle]);
    });

    it('leases every job once, whoever asks', async () => {
      const handles = await addAll(one, ...Array.from({ length: 60 }, () => newJob()));
      const leases = await Promise.all(Array.from({ length: 12 }, (_, turn) => leaseAs(turn % 2 ? one : two, 7)));
      expect(handlesOf(leases.flat()).sort()).toEqual([...handles].sort());
      const { length } = leases.filter((jobs) => jobs.length > 0);
      expect(length).toBeGreaterThan(8);
    });

    it('makes one job of a unique that is added everywhere at the same moment', async () => {
      const owners = [one, two, one, two];
      const jobs = owners.map(() => newJob({ unique: 'u' }));
      const additions = owners.map((owner, index) => add(owner, jobs[index]!, true));
      const existing = await Promise.all(additions.map(({ stored }) => stored));
      const added = jobs.filter((_, index) => !existing[index]);
      expect(added).toHaveLength(1);
      for (const job of existing) expect(job?.handle ?? added[0]!.handle).toBe(added[0]!.handle);
      const late = await Promise.all(additions.map(({ isLeasedLate }) => isLeasedLate));
      expect(additions.filter(({ isLeased }) => isLeased)).toEqual([]);
      expect(late.filter(Boolean)).toHaveLength(1);
    });

    it('brings the lease of a job with a unique with its write', async () => {
      const job = newJob({ unique: 'u' });
      const addition = add(one, job, true);
      expect(addition.isLeased).toBe(false);
      await addition.stored;
      expect(await addition.isLeasedLate).toBe(true);
      expect(await leaseAs(two, 9)).toEqual([]);
      one.done(job.handle);
      await one.flush();
      expect(await two.findByHandle(job.handle)).toBeUndefined();
    });

    it('leases a job that runs already to its adder, with a unique too, unless another one has that', async () => {
      const job = newJob({ unique: 'u' });
      expect(add(one, job, 'always').isLeased).toBe(true);
      await one.flush();
      const other = add(two, newJob({ unique: 'u' }), 'always');
      expect(await other.stored).toMatchObject({ handle: job.handle });
      expect(handlesOf(await allOf(two.iterate()))).toEqual([job.handle]);
    });

    it('answers who adds a known handle with the job that has it', async () => {
      const job = newJob();
      await addAll(two, job);
      expect(await add(one, job, 'always').stored).toMatchObject({ handle: job.handle });
      expect(await one.findByHandle(job.handle)).toMatchObject({ state: 'waiting' });
    });

    it('lets only its holder end, change, bury or release a job', async () => {
      const [handle] = (await addAll(one, newJob())) as [string];
      await leaseAs(one, 1);
      two.done(handle);
      two.bury(handle, 'not mine', NOW);
      two.release(handle);
      two.change(handle, { losses: 3 });
      await two.flush();
      expect(await leaseAs(two, 1)).toEqual([]);
      expect(await one.findByHandle(handle)).toMatchObject({ state: 'leased', job: { losses: 0 } });
    });

    it('says who holds a job, to the others', async () => {
      const [handle] = (await addAll(one, newJob({ unique: 'u' }))) as [string];
      await leaseAs(one, 1);
      await one.flush();
      const held = { state: 'leased', job: { handle }, holder: { name: 'one', address: '127.0.0.1:4730' } };
      expect(await two.findByHandle(handle)).toMatchObject(held);
      expect(await two.findByUnique('u', 'reverse')).toMatchObject(held);
      expect(await two.findByUnique('u')).toMatchObject(held);
      expect(await one.findByHandle(handle)).not.toHaveProperty('holder');
      expect(await add(two, newJob({ unique: 'u' }), true).stored).toMatchObject({ handle });
    });

    it('takes out what waits, and tells the holder of a job that was cancelled elsewhere', async () => {
      const [held, waiting] = (await addAll(one, newJob(), newJob())) as [string, string];
      expect(await leaseAs(one, 1)).toHaveLength(1);
      expect(await two.remove(waiting)).toBe('removed');
      expect(await two.remove(held)).toBe('told');
      expect(await two.remove('H:nobody:1')).toBe('unknown');
      await until('the holder is told', () => listeners.one.cancelled.length > 0);
      expect(listeners.one.cancelled).toEqual([held]);
      expect(listeners.two.cancelled).toEqual([]);
      expect(await one.findByHandle(held)).toMatchObject({ state: 'leased' });
    });

    it('gives back what one had leased when it closes', async () => {
      const handles = await addAll(one, newJob(), newJob(), newJob());
      await leaseAs(one, 2);
      await one.close();
      await sees(two, 3);
      expect(handlesOf(await leaseAs(two, 9))).toEqual(handles);
      await one.open(listeners.one);
      expect(await leaseAs(one, 9)).toEqual([]);
    });

    it('gives a job back to the others in its old place', async () => {
      const [first, second] = await addAll(one, newJob(), newJob());
      await leaseAs(one, 1);
      one.release(first as string, { losses: 1 });
      await one.flush();
      await sees(two, 2);
      expect(await two.lease('reverse', 1, 9, NOW)).toMatchObject([{ handle: first, losses: 1 }, { handle: second }]);
    });

    it('lets the jobs of one that stalled wait for the others, and nothing it still says of them counts', async () => {
      const [first, second] = (await addAll(one, newJob(), newJob({ unique: 'u' }))) as [string, string];
      await leaseAs(one, 2);
      await one.flush();
      await fixture.stall();
      one.done(first);
      one.release(second, { at: NOW + 9 });
      expect(handlesOf(await leaseAs(two, 9))).toEqual([first, second]);
      await one.flush();
      expect(await two.findByHandle(first)).toMatchObject({ state: 'leased' });
      two.done(first);
      two.done(second);
      await two.flush();
      expect(await allOf(one.iterate())).toEqual([]);
    });

    it('tells one that stalled which jobs it lost, and lets it go on', async () => {
      const [handle] = await addAll(one, newJob());
      await leaseAs(one, 1);
      await one.flush();
      await fixture.stall();
      await until('it is told', () => listeners.one.lostHandles.length > 0);
      expect(listeners.one.lostHandles).toEqual([handle]);
      expect(listeners.two.lostHandles).toEqual([]);
      expect(handlesOf(await leaseAs(one, 1))).toEqual([handle]);
      one.done(handle as string);
      await one.flush();
      expect(await two.findByHandle(handle as string)).toBeUndefined();
    });

    it('keeps a job that one added while it was stalled', async () => {
      await fixture.stall();
      const job = newJob();
      await add(one, job, false).stored;
      await sees(two, 1);
      expect(handlesOf(await leaseAs(two, 9))).toEqual([job.handle]);
    });

    it('tells the others what one sets, the last of it, and what it does away with', async () => {
      one.set('a', '1');
      one.set('b', '2');
      await until('the other knows', () => two.settings().size === 2);
      expect([...two.settings()].sort()).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
      two.set('a', '3');
      two.set('b', undefined);
      await until('it is known', () => one.settings().get('a') === '3' && !one.settings().has('b'));
      await until('it was told', () => listeners.one.heardSettings.length > 1);
      expect([...listeners.one.heardSettings].sort()).toEqual([
        ['a', '3'],
        ['b', undefined],
      ]);
      expect([...new Map(listeners.two.heardSettings)].sort()).toEqual([
        ['a', '1'],
        ['b', '2'],
      ]);
    });

    it('keeps what was set here, whatever others read and write meanwhile', async () => {
      for (let value = 1; value <= 50; value++) {
        one.set('mine', `${value}`);
        two.set('other', `${value}`);
        expect(one.settings().get('mine')).toBe(`${value}`);
        if (value % 5 === 0) await one.flush();
        else await new Promise(setImmediate);
      }
      await until('both know both', () => one.settings().get('other') === '50' && two.settings().get('mine') === '50');
      expect(listeners.one.heardSettings.filter(([name]) => name === 'mine')).toEqual([]);
    });

    it('counts everybody’s jobs, and those that wait apart', async () => {
      await addAll(one, newJob(), newJob(), newJob({ at: NOW + 9 }));
      await leaseAs(one, 1);
      await one.flush();
      await sees(two, 2);
      await until('all are counted', () => two.count('reverse').total[1] === 3);
      expect(two.counts()).toEqual([
        { function: 'reverse', total: [0, 3, 0], waiting: [0, 2, 0], scheduled: [0, 1, 0] },
      ]);
    });

    it('shows everybody the dead letters and kept results of all', async () => {
      const [dead, ended] = (await addAll(one, newJob(), newJob())) as [string, string];
      await leaseAs(one, 2);
      one.bury(dead, 'boom', NOW);
      one.done(ended, { state: 'complete', result: 'done', keepUntil: NOW + 9 });
      await one.flush();
      expect(await two.findByHandle(dead)).toMatchObject({ state: 'dead', letter: { error: 'boom' } });
      expect(await two.findByHandle(ended)).toMatchObject({ state: 'ended', outcome: { state: 'complete' } });
      expect(await two.replay(dead)).toBe(true);
      await sees(one, 1);
      expect(handlesOf(await leaseAs(one, 9))).toEqual([dead]);
      expect(await two.forget(NOW + 9)).toBe(1);
      expect(await one.findByHandle(ended)).toBeUndefined();
    });

    it('tells the others when a job’s time comes that one gave it', async () => {
      await addAll(one, newJob({ at: NOW + 5 }));
      await until('the other knows when', () => two.due(NOW).next === NOW + 5);
      expect(await leaseAs(two, 9)).toEqual([]);
      expect(two.due(NOW + 5).ready).toEqual([{ function: 'reverse', priority: 1 }]);
      expect(await two.lease('reverse', 1, 9, NOW + 5)).toHaveLength(1);
    });
  });
}
