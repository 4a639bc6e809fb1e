import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogStorage, type QueuedJob } from '../../lib/job-server/storage/index.js';
import { describeJobStorage } from './job-storage.contract.js';
import { add, newJob, NOW } from './recorded-storage.js';

for (const durability of ['always', 'interval', 'none'] as const) {
  describeJobStorage(`LogStorage, durability '${durability}',`, async () => {
    const path = await mkdtemp(join(tmpdir(), 'gearman-storage-'));
    return {
      storage: new LogStorage({ path, durability, flushInterval: 20 }),
      dispose: () => rm(path, { recursive: true }),
    };
  });
}

describe('LogStorage', () => {
  const listener = { ready: () => undefined, trouble: () => undefined, setAside: () => undefined };
  let path: string;
  let storage: LogStorage;
  beforeEach(async () => {
    path = await mkdtemp(join(tmpdir(), 'gearman-storage-'));
    storage = new LogStorage({ path });
    await storage.open(listener);
  });
  afterEach(async () => {
    await storage.close();
    await rm(path, { recursive: true });
  });

  async function restart(): Promise<void> {
    await storage.close();
    storage = new LogStorage({ path });
    await storage.open(listener);
  }

  function addJobs(count: number): { stored: number; all: Promise<unknown> } {
    const added = { stored: 0, all: Promise.resolve() as Promise<unknown> };
    const jobs = Array.from({ length: count }, async (_, index) => {
      await add(storage, newJob({ function: 'f', workload: '', handle: `H:test:${index}` }), false).stored;
      added.stored++;
    });
    added.all = Promise.all(jobs);
    return added;
  }

  it('leases nothing while too much waits for the disk, so that it does not fill memory', async () => {
    const added = addJobs(40_000);
    const leased = await storage.lease('f', 1, 10, 0);
    expect(leased.map(({ handle }) => handle)).toEqual(Array.from({ length: 10 }, (_, index) => `H:test:${index}`));
    expect(40_000 - added.stored).toBeLessThan(32_768);
    await added.all;
  });

  it('answers a lease that waits for the disk with no jobs when it is closed', async () => {
    const added = addJobs(40_000);
    const leasing = storage.lease('f', 1, 10, 0);
    await Promise.all([storage.close(), added.all]);
    expect(await leasing).toEqual([]);
    await storage.open(listener);
    expect(storage.count('f').total[1]).toBe(40_000);
  });

  it('finds jobs by handles of any form and in any order, and no other, also after a restart', async () => {
    const handles = ['1', 'ab', 'H:vm:7', 'H:vm:007', 'H:vm:6', 'own', '0b3c', '0b3d', '0b3d-1e\xff', 'x'.repeat(255)];
    // Many blocks, whose groups overlap.
    for (let number = 500; number > 0; number--) handles.push(`H:test:${(number * 7) % 501}`);
    const added = handles.map((handle, index) => {
      const workload = 'x'.repeat(index < 20 ? 3_000 : 100);
      return add(storage, newJob({ handle, workload, at: index % 3 === 2 ? NOW + 9 : 0 }), false).stored;
    });
    await Promise.all(added);
    storage.set('own-not', 'a setting');
    const found = async (names: readonly string[]): Promise<unknown[]> =>
      Promise.all(names.map(async (name) => ((await storage.findByHandle(name)) as QueuedJob | undefined)?.job.handle));
    for (let start = 0; start < 3; start++) {
      expect(await found(handles)).toEqual(handles);
      expect(await found(['', '2', 'own-not', 'H:vm:', 'H:test:501', 'H:test:01'])).toEqual(Array(6).fill(undefined));
      await restart();
    }
  });

  it('finds jobs by handles that came out of order, where no others are left after a restart', async () => {
    const job = newJob({ handle: 'H:test:9' });
    await add(storage, job, false).stored;
    await restart();
    await storage.leaseOne(job.handle);
    storage.bury(job.handle, 'why', 0);
    await add(storage, newJob({ handle: 'H:test:5' }), false).stored;
    await restart();
    await restart();
    expect(await storage.findByHandle('H:test:5')).toMatchObject({ state: 'waiting' });
    expect(await storage.replay(job.handle)).toBe(true);
  });
});
