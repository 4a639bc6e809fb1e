import { describe, expect, it } from '@jest/globals';
import type { JobStorage } from 'nestjs-gearman/job-server';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { LogStorage, MemoryJobs, MemoryStorage } from '../../../../lib/job-server/storage/index.js';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { submit } from '../../../support/front.js';
import { tempDir } from '../../../support/temp-dir.js';
import { until } from '../../../support/until.js';

const STORAGES: readonly (readonly [name: string, make: () => JobStorage])[] = [
  ['in memory', () => new MemoryStorage()],
  ['in files', () => new LogStorage({ path: tempDir() })],
];

/** What a job server reads the time from: a test moves it. */
class SetClocks {
  now = 1_000_000;
  date = 1_700_000_000_000;

  pass(milliseconds: number): void {
    this.now += milliseconds;
    this.date += milliseconds;
  }
}

async function start(storage: JobStorage, clocks: SetClocks) {
  const server = new JobServer({ listeners: [], storage, window: 4 }, clocks);
  await server.start();
  atEnd(() => server.stop());
  return { server, peer: () => new RawPeer(server.connect()) };
}

/** The age that metrics tell of a function, in seconds. */
function oldest(server: JobServer, name = 'f'): number | undefined {
  const family = server.metrics().find((each) => each.name === 'gearman_oldest_waiting_seconds')!;
  const sample = family.samples.find(({ labels }) => labels['function'] === name);
  return sample?.value as number | undefined;
}

describe.each(STORAGES)('the age of the oldest waiting job with a storage %s', (_, make) => {
  it('goes on over a restart, and while the job server is down', async () => {
    const [storage, clocks] = [make(), new SetClocks()];
    const before = await start(storage, clocks);
    await submit(before.peer(), 'SUBMIT_JOB_BG f··a');
    clocks.pass(5_000);
    expect(oldest(before.server)).toBe(5);
    await before.server.stop();
    clocks.date += 60_000;
    // A machine that was started anew counts durations from elsewhere.
    clocks.now = 77;
    const after = await start(storage, clocks);
    expect(oldest(after.server)).toBe(65);
    clocks.pass(2_000);
    expect(oldest(after.server)).toBe(67);
    const worker = after.peer();
    worker.send('ALL_YOURS', 'CAN_DO f', 'GRAB_JOB');
    expect(await worker.next()).toMatch(/^JOB_ASSIGN/);
    expect(oldest(after.server)).toBe(0);
    worker.end();
    await until('the job is back', () => oldest(after.server) === 67);
  });

  it('is that of jobs of which memory holds none, however many wait', async () => {
    const [storage, clocks] = [make(), new SetClocks()];
    const { server, peer } = await start(storage, clocks);
    const client = peer();
    for (let number = 0; number < 100; number++) {
      await submit(client, 'SUBMIT_JOB_BG f··x');
      clocks.pass(1_000);
    }
    expect(oldest(server)).toBe(100);
    const worker = peer();
    worker.send('CAN_DO f', ...Array<string>(50).fill('GRAB_JOB'));
    for (let number = 0; number < 50; number++) expect(await worker.next()).toMatch(/^JOB_ASSIGN|^NO_JOB/);
    const running = coreOf(server).engine.functions.find('f')!.running;
    expect(oldest(server)).toBe(100 - running);
  });

  it('is 0 while all are delayed, and counts from the time of one that has come', async () => {
    const [storage, clocks] = [make(), new SetClocks()];
    const { server, peer } = await start(storage, clocks);
    await submit(peer(), `SUBMIT_JOB_EPOCH f··${(clocks.date + 10_000) / 1_000}·x`);
    clocks.pass(9_000);
    expect(oldest(server)).toBe(0);
    await server.stop();
    clocks.pass(4_000);
    const after = await start(storage, clocks);
    await until('it is due', () => coreOf(after.server).engine.functions.find('f')?.due(1) === 1);
    expect(oldest(after.server)).toBe(3);
  });

  it('begins anew for a dead letter that is replayed', async () => {
    const [storage, clocks] = [make(), new SetClocks()];
    const { server } = await start(storage, clocks);
    const job = { function: 'f', unique: '', priority: 1, workload: '', reducer: '', at: 0 } as const;
    const letter = { ...job, handle: 'H:x:1', attempts: 0, losses: 0, acceptedAt: 1 };
    await storage.addOnce!(letter, 'elsewhere', { error: 'broken', diedAt: 2 });
    expect(await server.replay('H:x:1')).toBe(true);
    clocks.pass(7_000);
    expect(oldest(server)).toBe(7);
  });
});

describe('the age of the oldest waiting job with a storage that is shared', () => {
  it('is what the storage has learned by then', async () => {
    let isKnown = false;
    class Learning extends MemoryStorage {
      override oldest(...args: Parameters<MemoryStorage['oldest']>): number | undefined {
        return isKnown ? super.oldest(...args) : undefined;
      }
    }
    const clocks = new SetClocks();
    const { server, peer } = await start(new Learning(new MemoryJobs(), { name: 'one', address: '' }), clocks);
    await submit(peer(), 'SUBMIT_JOB_BG f··a');
    clocks.pass(5_000);
    expect(oldest(server)).toBe(0);
    isKnown = true;
    expect(oldest(server)).toBe(5);
  });
});
