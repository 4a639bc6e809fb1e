import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../lib/job-server/core-of.js';
import type { PeerListener } from '../../../lib/job-server/engine/index.js';
import { JobServer } from '../../../lib/job-server/job-server.js';
import { MemoryStorage, type StorageListener } from '../../../lib/job-server/storage/index.js';
import type { StopOptions } from '../../../lib/job-server/draining.js';
import type { JobServerOptions } from '../../../lib/job-server/job-server-options.js';
import { atEnd } from '../../support/cleanup.js';
import { CLOSED, RawPeer } from '../../support/raw-peer.js';
import { turnsUntil } from '../../support/turns.js';

async function start(options: JobServerOptions = {}): Promise<JobServer> {
  const jobServer = new JobServer({ listeners: [], ...options });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return jobServer;
}

const peer = (jobServer: JobServer): RawPeer => new RawPeer(jobServer.connect());

async function submit(client: RawPeer, packet: string): Promise<string> {
  client.send(packet);
  return (await client.next()).split(' ')[1]!;
}

async function grab(worker: RawPeer): Promise<string> {
  worker.send('GRAB_JOB');
  return (await worker.next()).split('·').at(-1)!;
}

/** A client that waits for a job which a worker runs, and the job's handle. */
async function withRunningJob(jobServer: JobServer): Promise<{ client: RawPeer; worker: RawPeer; handle: string }> {
  const client = peer(jobServer);
  const worker = peer(jobServer);
  worker.send('CAN_DO f');
  const handle = await submit(client, 'SUBMIT_JOB f··running');
  expect(await grab(worker)).toBe('running');
  return { client, worker, handle };
}

describe('a job server that is asked to stop', () => {
  it('ends at once without a grace period', async () => {
    const jobServer = await start();
    const { client, worker } = await withRunningJob(jobServer);
    await jobServer.stop();
    expect(await client.next()).toBe(CLOSED);
    expect(await worker.next()).toBe(CLOSED);
  });

  it('delivers the results of running jobs before it ends', async () => {
    const jobServer = await start();
    const { client, worker, handle } = await withRunningJob(jobServer);
    const stopped = jobServer.stop({ gracePeriod: Infinity });
    worker.send(`WORK_DATA ${handle}·half`, `WORK_COMPLETE ${handle}·done`);
    expect(await client.nextOnes(3)).toEqual([`WORK_DATA ${handle}·half`, `WORK_COMPLETE ${handle}·done`, CLOSED]);
    await stopped;
  });

  it('accepts no job and gives none out meanwhile', async () => {
    const jobServer = await start();
    const { client, worker, handle } = await withRunningJob(jobServer);
    await submit(client, 'SUBMIT_JOB_BG f··waiting');
    const stopped = jobServer.stop({ gracePeriod: Infinity });
    client.send('SUBMIT_JOB f··late');
    expect(await client.next()).toBe('ERROR SHUTTING_DOWN·This job server is ending; submit to another one');
    worker.send('GRAB_JOB', 'PRE_SLEEP');
    expect(await worker.untilEcho()).toEqual(['NO_JOB']);
    worker.send(`WORK_FAIL ${handle}`);
    expect(await client.nextOnes(2)).toEqual([`WORK_FAIL ${handle}`, CLOSED]);
    await stopped;
  });

  it('sends those elsewhere at once whom nothing keeps here', async () => {
    const jobServer = await start();
    const { worker, handle } = await withRunningJob(jobServer);
    const idle = peer(jobServer);
    const idleWorker = peer(jobServer);
    const waiting = peer(jobServer);
    idleWorker.send('CAN_DO g');
    await idleWorker.untilEcho();
    await submit(waiting, 'SUBMIT_JOB f··waiting');
    const stopped = jobServer.stop({ gracePeriod: Infinity });
    for (const free of [idle, idleWorker, waiting]) expect(await free.next()).toBe(CLOSED);
    worker.send(`WORK_COMPLETE ${handle}·`);
    await stopped;
  });

  it('stops waiting when the grace period is over, and says so', async () => {
    const lines: string[] = [];
    const jobServer = await start({ log: (level, message) => lines.push(`${level}: ${message}`) });
    const { client } = await withRunningJob(jobServer);
    await jobServer.stop({ gracePeriod: 1 });
    expect(await client.next()).toBe(CLOSED);
    expect(lines).toContain('warn: ending: 1 jobs are still running');
  });

  it('stops waiting when asked again', async () => {
    const jobServer = await start();
    const { client } = await withRunningJob(jobServer);
    const patient = jobServer.stop({ gracePeriod: Infinity });
    await jobServer.stop();
    await patient;
    expect(await client.next()).toBe(CLOSED);
  });

  it('gives jobs the grace period it was asked for last', async () => {
    const jobServer = await start();
    const { client, worker, handle } = await withRunningJob(jobServer);
    await submit(client, 'SUBMIT_JOB_BG f··waiting');
    const patient = jobServer.stop({ gracePeriod: Infinity, finish: 'all' });
    const hasty = jobServer.stop({ gracePeriod: 20_000 });
    worker.send(`WORK_COMPLETE ${handle}·`);
    expect(await client.nextOnes(2)).toEqual([`WORK_COMPLETE ${handle}·`, CLOSED]);
    await Promise.all([patient, hasty]);
  });

  it('stops waiting when the worker is lost', async () => {
    const jobServer = await start();
    const { client, worker } = await withRunningJob(jobServer);
    const stopped = jobServer.stop({ gracePeriod: Infinity });
    worker.destroy();
    await stopped;
    expect(await client.next()).toBe(CLOSED);
  });

  it('has everything that waits done when asked to finish all', async () => {
    const jobServer = await start();
    const { client, worker, handle } = await withRunningJob(jobServer);
    await submit(client, 'SUBMIT_JOB_BG f··waiting');
    const stopped = jobServer.stop({ gracePeriod: Infinity, finish: 'all' });
    worker.send(`WORK_COMPLETE ${handle}·`, 'GRAB_JOB');
    const [, waiting] = (await worker.next()).split(/[ ·]/);
    worker.send(`WORK_COMPLETE ${waiting}·`);
    expect(await client.nextOnes(2)).toEqual([`WORK_COMPLETE ${handle}·`, CLOSED]);
    await stopped;
  });

  it('leaves to the next start what a storage keeps', async () => {
    const jobServer = await start({ storage: new MemoryStorage() });
    const { client, worker, handle } = await withRunningJob(jobServer);
    await submit(client, 'SUBMIT_JOB_BG f··waiting');
    const stopped = jobServer.stop({ gracePeriod: Infinity, finish: 'all' });
    worker.send(`WORK_COMPLETE ${handle}·`);
    expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·`);
    await stopped;
  });

  it('takes and gives jobs again once it is started again', async () => {
    const jobServer = await start();
    const { client } = await withRunningJob(jobServer);
    const stopped = jobServer.stop({ gracePeriod: Infinity });
    await jobServer.stop();
    await stopped;
    await turnsUntil('the client is closed', () => client.stream.destroyed);
    await jobServer.start();
    await withRunningJob(jobServer);
  });

  it.each([
    [{ gracePeriod: -1 }, 'gracePeriod'],
    [{ gracePeriod: 2 ** 31 }, 'gracePeriod'],
    [{ finish: 'most' as 'all' }, 'finish'],
    [{ gracePeriods: 1 } as StopOptions, 'gracePeriods'],
  ])('refuses %j', async (options, named) => {
    const jobServer = await start();
    await expect(jobServer.stop(options)).rejects.toMatchObject({ code: 'GEARMAN_INVALID_OPTION', option: named });
  });
});

describe('a job server that has stopped', () => {
  it('accepts no job, and does not open its storage again', async () => {
    const schedules = { nightly: { function: 'f', every: 86_400_000 } };
    const jobServer = await start({ storage: new MemoryStorage(), schedules });
    await jobServer.stop();
    await expect(jobServer.schedules.run('nightly')).rejects.toThrow('This job server is ending');
    const { engine, storedJobs } = coreOf(jobServer);
    const client = engine.join({} as PeerListener);
    const spec = { function: 'f', unique: '', workload: '', priority: 1, isBackground: true, at: 0 } as const;
    expect(storedJobs!.submit(spec, client)).toMatchObject({ code: 'QUEUE_ERROR' });
    const closed = { code: 'GEARMAN_STORAGE_CLOSED' };
    await expect(storedJobs!.fire('nightly', 86_400_000, spec)).rejects.toMatchObject(closed);
    await expect(storedJobs!.isQueued('H:x:1')).rejects.toMatchObject(closed);
    expect(jobServer.storageTrouble).toBe('The storage is not open.');
  });
});

describe('a job server that is started and stopped at once', () => {
  /** A storage that opens when it is told to. */
  class LateStorage extends MemoryStorage {
    beOpened = (): void => undefined;
    readonly mayOpen = new Promise<void>((resolve) => (this.beOpened = resolve));

    override async open(listener: StorageListener): Promise<void> {
      await this.mayOpen;
      return super.open(listener);
    }
  }

  it('listens nowhere when it was stopped while its storage was opened', async () => {
    const storage = new LateStorage();
    const jobServer = new JobServer({ listeners: [{ port: 0 }], storage });
    atEnd(() => jobServer.stop());
    const started = jobServer.start();
    const stopped = jobServer.stop();
    storage.beOpened();
    await Promise.all([started, stopped]);
    expect([jobServer.addresses, jobServer.isEnding]).toEqual([[], true]);
  });

  it('listens nowhere when it was stopped while it began to listen', async () => {
    const jobServer = new JobServer({ listeners: [{ port: 0 }, { port: 0 }] });
    atEnd(() => jobServer.stop());
    const started = jobServer.start();
    await Promise.resolve();
    await jobServer.stop();
    await started;
    expect(jobServer.addresses).toEqual([]);
  });

  it('starts when the stop is over, with its storage open', async () => {
    const jobServer = await start({ listeners: [{ port: 0 }], storage: new MemoryStorage() });
    const stopped = jobServer.stop();
    await Promise.all([jobServer.start(), stopped]);
    expect([jobServer.addresses.length, jobServer.storageTrouble, jobServer.isEnding]).toEqual([1, undefined, false]);
    const client = peer(jobServer);
    await submit(client, 'SUBMIT_JOB_EPOCH f··1·due');
    client.send('CAN_DO f');
    expect(await grab(client)).toBe('due');
  });

  it('stays stopped when the start that waited for the stop was stopped too', async () => {
    const jobServer = await start({ listeners: [{ port: 0 }] });
    const stopped = jobServer.stop();
    const started = jobServer.start();
    await Promise.all([started, jobServer.stop(), stopped]);
    expect([jobServer.addresses, jobServer.isEnding]).toEqual([[], true]);
  });

  it('has started for everybody who asked when it listens', async () => {
    const jobServer = new JobServer({ listeners: [{ port: 0 }] });
    atEnd(() => jobServer.stop());
    void jobServer.start();
    await jobServer.start();
    expect(jobServer.addresses).toHaveLength(1);
  });
});
