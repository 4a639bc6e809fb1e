import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import type { JobServerOptions } from '../../../../lib/job-server/job-server-options.js';
import { MemoryJobs, MemoryStorage, StorageError } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { settled, turnsUntil } from '../../../support/turns.js';

/** Job servers that share a storage. */
class Fleet {
  readonly jobs = new MemoryJobs();

  async start(name: string, options: JobServerOptions = {}): Promise<{ server: JobServer; storage: MemoryStorage }> {
    const storage = new MemoryStorage(this.jobs, { name, address: '' });
    const server = new JobServer({ listeners: [], storage, ...options });
    await server.start();
    atEnd(() => server.stop());
    return { server, storage };
  }
}

const handleIn = (packet: string): string => packet.split(' ')[1]!.split('·')[0]!;

async function submit(server: JobServer, count: number, unique = ''): Promise<string[]> {
  const client = new RawPeer(server.connect());
  for (let number = 0; number < count; number++) client.send(`SUBMIT_JOB_BG f·${unique}·${number}`);
  const handles: string[] = [];
  for (let number = 0; number < count; number++) handles.push(handleIn(await client.next()));
  return handles;
}

/** A worker that takes one job after the other and reports each as done at once; resolves when it did so many. */
async function workThrough(server: JobServer, count: number): Promise<string[]> {
  const worker = new RawPeer(server.connect());
  worker.send('CAN_DO f', 'GRAB_JOB');
  const done: string[] = [];
  while (done.length < count) {
    const packet = await worker.next();
    if (packet === 'NO_JOB') worker.send('PRE_SLEEP');
    else if (packet === 'NOOP') worker.send('GRAB_JOB');
    else {
      done.push(handleIn(packet));
      worker.send(`WORK_COMPLETE ${handleIn(packet)}·`, 'GRAB_JOB');
    }
  }
  return done;
}

/** A worker that has been given a job. */
async function workerWithJob(server: JobServer): Promise<{ worker: RawPeer; handle: string }> {
  const worker = new RawPeer(server.connect());
  worker.send('CAN_DO f', 'GRAB_JOB');
  let packet = await worker.next();
  while (!packet.startsWith('JOB_ASSIGN')) {
    worker.send(packet === 'NOOP' ? 'GRAB_JOB' : 'PRE_SLEEP');
    packet = await worker.next();
  }
  return { worker, handle: handleIn(packet) };
}

describe('job servers that share a storage', () => {
  it('keep no job that they have no worker for from those that have', async () => {
    const fleet = new Fleet();
    const [{ server: idle }, { server: busy }] = [await fleet.start('a'), await fleet.start('b')];
    const handles = await submit(idle, 800);
    expect(await workThrough(busy, 800)).toEqual(handles);
    expect(fleet.jobs.entries.size).toBe(0);
  });

  it('hold no more than their workers will soon run', async () => {
    const fleet = new Fleet();
    const [{ server: one }, { server: two }] = [await fleet.start('a'), await fleet.start('b')];
    const { handle } = await submit(one, 1).then(() => workerWithJob(one));
    await submit(one, 200);
    await settled();
    // One runs, and its connection could take another: twice that may wait with it.
    expect(coreOf(one).engine.jobCount).toBeLessThanOrEqual(5);
    const others = await workThrough(two, 196);
    expect(others).not.toContain(handle);
  });

  it.each([
    ['its last worker leaves', (worker: RawPeer) => worker.destroy(), () => undefined],
    ['its last worker does the function no more', (worker: RawPeer) => worker.send('CANT_DO f'), () => undefined],
    ['it ends and lets jobs finish', () => undefined, (server: JobServer) => void server.stop({ gracePeriod: 60_000 })],
  ])('give back what waits when %s', async (_, byWorker, byServer) => {
    const fleet = new Fleet();
    const [{ server: one }, { server: two }] = [await fleet.start('a'), await fleet.start('b')];
    await submit(one, 1);
    const { worker } = await workerWithJob(one);
    await submit(one, 9);
    await turnsUntil('some wait there', () => coreOf(one).engine.functions.find('f')!.waiting > 0);
    byWorker(worker);
    byServer(one);
    await turnsUntil('none waits there', () => coreOf(one).engine.functions.find('f')!.waiting === 0);
    expect(await workThrough(two, 9)).toHaveLength(9);
  });

  it('take up again what they gave back when the function goes on', async () => {
    const { server } = await new Fleet().start('a');
    await submit(server, 1);
    const { worker, handle } = await workerWithJob(server);
    await submit(server, 3);
    coreOf(server).engine.pause('f');
    worker.send(`WORK_COMPLETE ${handle}·`, 'GRAB_JOB', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NO_JOB');
    coreOf(server).engine.resume('f');
    expect(await worker.next()).toBe('NOOP');
  });

  it('hold a function up, limit it and let it go on together', async () => {
    const fleet = new Fleet();
    const [{ server: one }, { server: two, storage }] = [await fleet.start('a'), await fleet.start('b')];
    await submit(two, 1);
    const { worker, handle } = await workerWithJob(two);
    await submit(two, 3);
    const f = coreOf(two).engine.functions.find('f')!;
    await turnsUntil('some wait there', () => f.waiting > 0);
    one.pause('f');
    await turnsUntil('it is paused there', () => f.isPaused && f.waiting === 0);
    worker.send(`WORK_COMPLETE ${handle}·`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    one.limitQueue('f', { high: 0, normal: 3, low: 0 });
    await turnsUntil('it is limited there', () => f.limits[1] === 3);
    worker.send('PRE_SLEEP');
    one.resume('f');
    expect(await worker.next()).toBe('NOOP');
    expect(f.limits).toEqual([0, 3, 0]);
    // Nobody writes what was read: two versions of this package might do so for ever.
    expect([...storage.settings()]).toEqual([['function:f', '{"paused":false,"limits":[0,3,0]}']]);
  });

  it('run a job with a unique once, and whoever submits it anywhere is told that one', async () => {
    const fleet = new Fleet();
    const [{ server: one }, { server: two }] = [await fleet.start('a'), await fleet.start('b')];
    const [handles, others] = await Promise.all([submit(one, 3, 'u'), submit(two, 3, 'u')]);
    expect(new Set([...handles, ...others]).size).toBe(1);
    expect(await workThrough(one, 1)).toEqual(handles.slice(0, 1));
  });

  it('give a job with a unique to a waiting worker once it is written', async () => {
    const { server } = await new Fleet().start('a');
    const worker = new RawPeer(server.connect());
    worker.send('CAN_DO f', 'PRE_SLEEP', 'ECHO_REQ x');
    await worker.next();
    const [handle] = await submit(server, 1, 'u');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·0`);
  });

  it('cancel a job that runs at another one: it is not run again when its worker is lost', async () => {
    const fleet = new Fleet();
    const [{ server: one }, { server: two }] = [await fleet.start('a'), await fleet.start('b')];
    const [handle] = await submit(one, 1);
    const { worker } = await workerWithJob(one);
    const admin = new RawPeer(two.connect());
    admin.sendText(`cancel job ${handle}\ncancel job H:nobody:1\n`);
    expect(await admin.next()).toBe('OK\r\n');
    expect(await admin.next()).toBe('ERR UNKNOWN_JOB\r\n');
    await turnsUntil('it is cancelled', () => coreOf(one).engine.find(handle!)?.isCancelled === true);
    worker.destroy();
    await turnsUntil('it is gone', () => fleet.jobs.entries.size === 0);
  });

  it('leave the jobs of one that stalled to the others, also the one it runs', async () => {
    const fleet = new Fleet();
    const [{ server: one, storage }, { server: two }] = [await fleet.start('a'), await fleet.start('b')];
    const handles = await submit(one, 3);
    const { worker, handle } = await workerWithJob(one);
    await settled();
    storage.lapse();
    await turnsUntil(
      'only what runs is left',
      () => coreOf(one).engine.jobCount === 1 + coreOf(one).engine.functions.find('f')!.waiting,
    );
    const elsewhere = await workerWithJob(two);
    // Its end is told in vain: the job belongs to another one.
    worker.send(`WORK_COMPLETE ${handle}·`, 'ECHO_REQ x');
    await worker.next();
    expect([...fleet.jobs.entries.keys()]).toEqual(handles);
    elsewhere.worker.send(`WORK_COMPLETE ${elsewhere.handle}·`);
    await turnsUntil('it has ended', () => fleet.jobs.entries.size === 2);
  });

  it('give out no stored job while the others may take them for dead, and say so', async () => {
    const fleet = new Fleet();
    const lines: string[] = [];
    const log = (level: string, line: string): unknown => lines.push(`${level}: ${line}`);
    const [{ server: one, storage }, { server: two }] = [await fleet.start('a', { log }), await fleet.start('b')];
    await submit(one, 1);
    const { worker, handle } = await workerWithJob(one);
    await submit(one, 3);
    const f = coreOf(one).engine.functions.find('f')!;
    await turnsUntil('some wait there', () => f.waiting > 0);
    // As for one that was stopped and goes on: what a worker has asked for meanwhile comes first.
    storage.isFenced = true;
    worker.send('GRAB_JOB', 'PRE_SLEEP', 'ECHO_REQ x');
    expect(await worker.nextOnes(2)).toEqual(['NO_JOB', 'ECHO_RES x']);
    expect(f.waiting).toBe(0);
    expect(one.storageTrouble).toContain('cannot show the others that it is alive');
    expect(lines.at(-1)).toContain('error: storage: This job server cannot show the others that it is alive');
    const [late] = await submit(one, 1);
    worker.send('ECHO_REQ y');
    expect(await worker.next()).toBe('ECHO_RES y');
    const client = new RawPeer(one.connect());
    client.send('SUBMIT_JOB f··foreground');
    const foreground = handleIn(await client.next());
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${foreground}·f·foreground`);
    // What runs goes on, and ends.
    worker.send(`WORK_COMPLETE ${handle}·`, `WORK_COMPLETE ${foreground}·`, 'PRE_SLEEP');
    await turnsUntil('it has ended', () => fleet.jobs.entries.size === 4);
    expect(await workThrough(two, 4)).toContain(late);
    storage.isFenced = false;
    const [next] = await submit(one, 1);
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${next}·f·0`);
    expect(one.storageTrouble).toBeUndefined();
    expect(lines.at(-1)).toContain('it gives out stored jobs again');
  });

  it('leave a job to the others whose worker is lost while they may be taken for dead', async () => {
    const fleet = new Fleet();
    const [{ server: one, storage }, { server: two }] = [await fleet.start('a'), await fleet.start('b')];
    const [handle] = await submit(one, 1);
    const { worker } = await workerWithJob(one);
    const other = new RawPeer(one.connect());
    other.send('CAN_DO f', 'PRE_SLEEP', 'ECHO_REQ x');
    await other.next();
    storage.isFenced = true;
    worker.destroy();
    await turnsUntil('it waits for anybody', () => fleet.jobs.find(handle!)?.owner === undefined);
    expect(await workThrough(two, 1)).toEqual([handle]);
    other.send('ECHO_REQ y');
    expect(await other.next()).toBe('ECHO_RES y');
  });

  it('end though the database is away, and say what could not be done', async () => {
    const lines: string[] = [];
    const storage = new MemoryStorage(new MemoryJobs(), { name: 'a', address: '' });
    const away = new StorageError('GEARMAN_STORAGE_UNREACHABLE', 'the database cannot be reached');
    storage.close = () => Promise.reject(away);
    const server = new JobServer({ listeners: [], storage, log: (level, line) => lines.push(`${level}: ${line}`) });
    await server.start();
    await server.stop();
    expect(lines.at(-1)).toMatch(/^error: storage: up to 0 ends of jobs could not be written .* cannot be reached$/);
  });

  it('have a stored twin marked as wanted that takes in a submission to a full queue', async () => {
    const wanted: string[] = [];
    const gone = new Set<string>();
    class Wanting extends MemoryStorage {
      async want(handle: string): Promise<boolean> {
        wanted.push(handle);
        return !gone.has(handle);
      }
    }
    const server = new JobServer({ listeners: [], storage: new Wanting(new MemoryJobs(), { name: 'a', address: '' }) });
    await server.start();
    atEnd(() => server.stop());
    const [handle] = await submit(server, 1, 'u');
    server.limitQueue('f', 1);
    expect(await submit(server, 1, 'u')).toEqual([handle]);
    expect(wanted).toEqual([handle]);
    gone.add(handle!);
    const client = new RawPeer(server.connect());
    client.send('SUBMIT_JOB_BG f·u·0');
    expect(await client.next()).toMatch(/^ERROR QUEUE_ERROR·Job queue is full/);
  });

  it('take up a job again that runs here still when its lease was lost and comes back', async () => {
    const fleet = new Fleet();
    const { server, storage } = await fleet.start('a');
    await submit(server, 1);
    const { worker, handle } = await workerWithJob(server);
    storage.lapse();
    // There is room for it: the lease comes back while it runs.
    await turnsUntil(
      'it is leased again',
      () => coreOf(server).engine.find(handle)?.isStored === true && !!fleet.jobs.find(handle)?.owner,
    );
    worker.send(`WORK_COMPLETE ${handle}·`);
    await turnsUntil('it has ended', () => fleet.jobs.entries.size === 0);
  });

  it('tell a foreground client its result though the lease of the job was lost', async () => {
    const fleet = new Fleet();
    const { server, storage } = await fleet.start('a');
    await submit(server, 1, 'u');
    const { worker, handle } = await workerWithJob(server);
    const client = new RawPeer(server.connect());
    client.send('SUBMIT_JOB f·u·0');
    expect(await client.next()).toBe(`JOB_CREATED ${handle}`);
    storage.lapse();
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·done`);
  });
});

describe('a job server alone', () => {
  it('holds a few jobs for a worker that comes and asks once', async () => {
    const server = new JobServer({ listeners: [], storage: new MemoryStorage() });
    await server.start();
    atEnd(() => server.stop());
    const [first] = await submit(server, 100);
    expect(coreOf(server).engine.jobCount).toBe(16);
    const worker = new RawPeer(server.connect());
    worker.send('CAN_DO f', 'GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${first}·f·0`);
  });
});
