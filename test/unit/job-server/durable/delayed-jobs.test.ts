import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import type { Peer } from '../../../../lib/job-server/engine/index.js';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { functionSnapshot, type FunctionSnapshot } from '../../../../lib/job-server/operations/snapshots.js';
import { MemoryStorage, type JobStorage } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { settled } from '../../../support/turns.js';
import { until } from '../../../support/until.js';

const HOUR = 3_600_000;

async function start(storage?: JobStorage): Promise<JobServer> {
  const policies = storage && { f: { backoff: { initialDelay: HOUR } } };
  const jobServer = new JobServer({ listeners: [], storage, policies, window: 2 });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return jobServer;
}

/** Submits a background job of f, to be run at a time. */
function submitAt(jobServer: JobServer, at: number): void {
  const job = { function: 'f', unique: '', workload: '', priority: 1, isBackground: true, at } as const;
  coreOf(jobServer).submit(job, undefined as unknown as Peer);
}

function snapshotOf(server: JobServer): Pick<FunctionSnapshot, 'total' | 'running' | 'queued' | 'delayed'> {
  const { engine } = coreOf(server);
  const { total, running, queued, delayed } = functionSnapshot(engine.functions.find('f')!);
  return { total, running, queued, delayed };
}

const counts = (waiting: number, delayed: number, running = 0): ReturnType<typeof snapshotOf> => ({
  total: waiting + delayed + running,
  running,
  queued: { high: 0, normal: waiting, low: 0 },
  delayed,
});

describe.each([
  ['in memory', undefined],
  ['in a storage', () => new MemoryStorage()],
])('a job %s that waits for its time', (_, storage) => {
  it('is counted as delayed, not as waiting, until then', async () => {
    const jobServer = await start(storage?.());
    submitAt(jobServer, 0);
    submitAt(jobServer, Date.now() + HOUR);
    const soon = Date.now() + 50;
    submitAt(jobServer, soon);
    // Both are told within this turn of the event loop, long before the time of the third.
    await Promise.resolve();
    await until('the two are delayed', () => snapshotOf(jobServer).delayed === 2 || Date.now() > soon);
    await until('the time of one has come', () => snapshotOf(jobServer).delayed === 1);
    expect(snapshotOf(jobServer)).toEqual(counts(2, 1));
  });

  it('is told by its event', async () => {
    const jobServer = await start(storage?.());
    const told: boolean[] = [];
    jobServer.on('submitted', ({ isDelayed }) => told.push(isDelayed));
    submitAt(jobServer, Date.now() + HOUR);
    submitAt(jobServer, 0);
    await until('both are told', () => told.length === 2);
    expect(told.sort()).toEqual([false, true]);
  });

  it('is told by `show functions`, and counted by gearmand’s words as ever', async () => {
    const jobServer = await start(storage?.());
    submitAt(jobServer, Date.now() + HOUR);
    submitAt(jobServer, 0);
    await until('both are there', () => snapshotOf(jobServer).total === 2);
    coreOf(jobServer).engine.pause('f');
    coreOf(jobServer).engine.limitQueue('f', [3, 2, 1]);
    const admin = new RawPeer(jobServer.connect());
    admin.sendText('show functions\n');
    expect(await admin.list()).toEqual(['f\t2\t0\t0\t1\t0\t1\t0\t1\t3\t2\t1\n', '.\n']);
    admin.sendText('prioritystatus\n');
    expect(await admin.list()).toEqual(['f\t0\t2\t0\t0\n', '.\n']);
  });
});

describe('stored jobs that wait for their time', () => {
  it('are counted as delayed after a restart, and as waiting once it has come, though no worker asks for them', async () => {
    const storage = new MemoryStorage();
    const before = await start(storage);
    submitAt(before, Date.now() + HOUR);
    submitAt(before, Date.now() + 1);
    await before.stop();
    const after = await start(storage);
    await until('one is due', () => snapshotOf(after).delayed === 1);
    expect(snapshotOf(after)).toEqual(counts(1, 1));
  });

  it('are counted so when they are to be tried again later', async () => {
    const jobServer = await start(new MemoryStorage());
    const told: boolean[] = [];
    jobServer.on('requeued', ({ isDelayed }) => told.push(isDelayed));
    const worker = new RawPeer(jobServer.connect());
    submitAt(jobServer, 0);
    worker.send('CAN_DO f', 'GRAB_JOB');
    const [, handle] = /^JOB_ASSIGN ([^·]*)·/.exec(await worker.next())!;
    expect(snapshotOf(jobServer)).toEqual(counts(0, 0, 1));
    worker.send(`WORK_FAIL ${handle}`, 'ECHO_REQ');
    await worker.next();
    expect([snapshotOf(jobServer), told]).toEqual([counts(0, 1), [true]]);
  });

  it('are not counted twice when one is fetched for a foreground client before its time', async () => {
    const storage = new MemoryStorage();
    const jobServer = await start(storage);
    const client = new RawPeer(jobServer.connect());
    const epoch = Math.ceil(Date.now() / 1000) + 3600;
    client.send(`SUBMIT_JOB_EPOCH f·u·${epoch}·x`, `SUBMIT_JOB_EPOCH f··${epoch}·y`);
    await client.nextOnes(2);
    client.send('SUBMIT_JOB f·u·x');
    await client.next();
    expect(snapshotOf(jobServer)).toEqual(counts(0, 2));
  });

  it('may have a time with a fraction, or of before 1970, as clients in Python write it, but no time that nothing can count', async () => {
    const jobServer = await start(new MemoryStorage());
    const client = new RawPeer(jobServer.connect());
    const epochs = ['1764365000.1234567', '-1.5', '99999999999.0001', '1e308', 'Infinity'];
    client.send(...epochs.map((epoch) => `SUBMIT_JOB_EPOCH f··${epoch}·x`));
    const answers = (await client.nextOnes(epochs.length)).map((answer) => answer.split(/[ ·]/).slice(0, 2));
    const refused = ['ERROR', 'INVALID_ARGUMENT'];
    const created = ['JOB_CREATED', expect.any(String)];
    expect(answers).toEqual([created, created, created, refused, refused]);
  });
});

describe('a stored job whose time comes after that of others has come', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  async function pass(time: number): Promise<void> {
    await settled();
    await jest.advanceTimersByTimeAsync(time);
    await settled();
  }

  it.each([1, 2, 3])('is run then, also by a worker that took all %i of the others', async (overdue) => {
    const storage = new MemoryStorage();
    const before = await start(storage);
    for (let count = 0; count < overdue; count++) submitAt(before, Date.now() - HOUR);
    submitAt(before, Date.now() + 2_000);
    await before.stop();
    const after = await start(storage);
    const worker = new RawPeer(after.connect());
    worker.send('CAN_DO f', 'ALL_YOURS', ...Array<string>(overdue + 1).fill('GRAB_JOB'));
    await pass(1_000);
    expect(snapshotOf(after)).toEqual(counts(0, 1, overdue));
    await pass(1_000);
    expect(snapshotOf(after)).toEqual(counts(0, 0, overdue + 1));
  });
});
