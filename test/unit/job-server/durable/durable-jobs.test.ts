import { describe, expect, it } from '@jest/globals';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { JobServer } from '../../../../lib/job-server/job-server.js';
import { MemoryStorage, StorageError, type StorageListener } from '../../../../lib/job-server/storage/index.js';
import { atEnd } from '../../../support/cleanup.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { settled, turnsUntil } from '../../../support/turns.js';
import { SlowStorage } from './slow-storage.js';

async function start(storage: MemoryStorage, window = 1000): Promise<JobServer> {
  const jobServer = new JobServer({ listeners: [], storage, window });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return jobServer;
}

const handleIn = (packet: string): string => packet.split(' ')[1]!.split('·')[0]!;

describe('durable jobs', () => {
  it('answers a submission that joins a job in a full queue only once that job is on disk', async () => {
    const storage = new SlowStorage();
    const policies = { f: { retries: 3, backoff: { initialDelay: 60_000 } } };
    const jobServer = new JobServer({ listeners: [], storage, maxQueue: [0, 1, 0], policies });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    const [one, two, worker] = [1, 2, 3].map(() => new RawPeer(jobServer.connect())) as [RawPeer, RawPeer, RawPeer];
    one.send('SUBMIT_JOB_BG f·u·x');
    worker.send('CAN_DO f', 'GRAB_JOB');
    const handle = handleIn(await worker.next());
    worker.send(`WORK_FAIL ${handle}`, 'ECHO_REQ failed');
    expect(await worker.next()).toBe('ECHO_RES failed');
    two.send('SUBMIT_JOB_BG f·u·y');
    const happened: string[] = [];
    const answer = two.next().then((packet) => happened.push(packet));
    await settled();
    happened.push('on disk');
    storage.sync();
    await answer;
    expect(happened).toEqual(['on disk', `JOB_CREATED ${handle}`]);
    expect(await one.next()).toBe(`JOB_CREATED ${handle}`);
  });

  it('fetches a stored job once, however many foreground submissions at once want to wait for it', async () => {
    let fetches = 0;
    class CountingStorage extends MemoryStorage {
      override leaseOne(handle: string): ReturnType<MemoryStorage['leaseOne']> {
        fetches++;
        return super.leaseOne(handle);
      }
    }
    const jobServer = await start(new CountingStorage(), 1);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··x', 'SUBMIT_JOB_BG f·u·y');
    const [, wanted] = await client.nextOnes(2);
    client.send(...Array.from({ length: 500 }, () => 'SUBMIT_JOB f·u·y'));
    expect(await client.nextOnes(500)).toEqual(Array.from({ length: 500 }, () => wanted));
    expect(fetches).toBe(1);
  });

  it('answers a background submission only once its job is on disk, though a worker may have it before', async () => {
    const storage = new SlowStorage();
    const jobServer = await start(storage);
    const client = new RawPeer(jobServer.connect());
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f');
    client.send('SUBMIT_JOB_BG f··x', 'ECHO_REQ behind');
    worker.send('PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toMatch(/^JOB_ASSIGN .*·f·x$/);
    // Everything behind the submission waits with it: clients match answers by order.
    worker.send('ECHO_REQ now');
    expect(await worker.next()).toBe('ECHO_RES now');
    storage.sync();
    expect(await client.next()).toMatch(/^JOB_CREATED H:/);
    expect(await client.next()).toBe('ECHO_RES behind');
  });

  it('keeps replies in request order when the disk finishes in another order', async () => {
    const storage = new SlowStorage();
    const jobServer = await start(storage);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··first', 'ECHO_REQ 1', 'SUBMIT_JOB_BG f··second', 'ECHO_REQ 2');
    const probe = new RawPeer(jobServer.connect());
    probe.send('ECHO_REQ arrived');
    await probe.next();
    storage.sync();
    storage.sync();
    const [first, one, second, two] = [
      await client.next(),
      await client.next(),
      await client.next(),
      await client.next(),
    ];
    expect([one, two]).toEqual(['ECHO_RES 1', 'ECHO_RES 2']);
    expect(Number(second.split(':').pop())).toBeGreaterThan(Number(first.split(':').pop()));
  });

  it('refuses with QUEUE_ERROR and the reason what cannot be written, and takes the job back', async () => {
    const storage = new SlowStorage();
    const jobServer = await start(storage);
    storage.failure = new StorageError('DISK_FULL' as never, 'no space left on device');
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··x', 'SUBMIT_JOB_BG f·u·y');
    expect(await client.next()).toBe('ERROR QUEUE_ERROR·no space left on device');
    expect(await client.next()).toBe('ERROR QUEUE_ERROR·no space left on device');
    client.sendText('status\n');
    expect(await client.next()).toBe('f\t0\t0\t0\n');
  });

  it('gives every stored job to a worker after a restart, in the order of submission and under its handle', async () => {
    const storage = new MemoryStorage();
    const before = await start(storage);
    const client = new RawPeer(before.connect());
    client.send('SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f··2', 'SUBMIT_JOB f··foreground', 'SUBMIT_JOB_HIGH_BG f··3');
    const created = [await client.next(), await client.next(), await client.next(), await client.next()].map(handleIn);
    await before.stop();

    const after = await start(storage);
    const admin = new RawPeer(after.connect());
    admin.sendText('status\n');
    expect([await admin.next(), await admin.next()]).toEqual(['f\t3\t0\t0\n', '.\n']);
    const worker = new RawPeer(after.connect());
    worker.send('CAN_DO f', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB');
    expect([await worker.next(), await worker.next(), await worker.next(), await worker.next()]).toEqual([
      `JOB_ASSIGN ${created[3]}·f·3`,
      `JOB_ASSIGN ${created[0]}·f·1`,
      `JOB_ASSIGN ${created[1]}·f·2`,
      'NO_JOB',
    ]);
  });

  it('runs an ended job not again after a restart', async () => {
    const storage = new MemoryStorage();
    const before = await start(storage);
    const peer = new RawPeer(before.connect());
    peer.send('SUBMIT_JOB_BG f··x');
    const handle = handleIn(await peer.next());
    peer.send('CAN_DO f', 'GRAB_JOB', `WORK_COMPLETE ${handle}·done`, 'ECHO_REQ end');
    expect(await peer.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
    expect(await peer.next()).toBe('ECHO_RES end');
    await before.stop();

    const worker = new RawPeer((await start(storage)).connect());
    worker.send('CAN_DO f', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
  });

  it('holds only a window of a deep queue and hands the rest out in order', async () => {
    const jobServer = await start(new MemoryStorage(), 4);
    const client = new RawPeer(jobServer.connect());
    const count = 50;
    for (let number = 0; number < count; number++) client.send(`SUBMIT_JOB_BG f··${number}`);
    for (let number = 0; number < count; number++) expect(await client.next()).toMatch(/^JOB_CREATED/);
    expect(coreOf(jobServer).engine.jobCount).toBe(4);
    client.sendText('prioritystatus\n');
    expect(await client.next()).toBe(`f\t0\t${count}\t0\t0\n`);
    await client.next();

    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f', 'PRE_SLEEP');
    for (let number = 0; number < count; number++) {
      let packet = await worker.next();
      while (packet === 'NOOP' || packet === 'NO_JOB') {
        worker.send(packet === 'NOOP' ? 'GRAB_JOB' : 'PRE_SLEEP');
        packet = await worker.next();
      }
      expect(packet.split('·').slice(1)).toEqual(['f', String(number)]);
      worker.send(`WORK_COMPLETE ${handleIn(packet)}·`, 'GRAB_JOB');
    }
    client.sendText('status\n');
    expect(await client.next()).toBe('f\t0\t0\t1\n');
  });

  it('holds fewer jobs of a deep queue where their workloads are long, and hands all out', async () => {
    const jobServer = await start(new MemoryStorage());
    const [client, worker] = [new RawPeer(jobServer.connect()), new RawPeer(jobServer.connect())];
    worker.send('CAN_DO f', 'ECHO_REQ served');
    expect(await worker.next()).toBe('ECHO_RES served');
    const count = 24;
    for (let number = 0; number < count; number++) {
      client.send(`SUBMIT_JOB_BG f··${number}${'x'.repeat(2 ** 20 - 2)}`);
      expect(await client.next()).toMatch(/^JOB_CREATED/);
    }
    // As many as 16 MiB have.
    expect(coreOf(jobServer).engine.jobCount).toBe(16);
    for (let number = 0; number < count; number++) {
      worker.send('GRAB_JOB');
      const packet = await worker.next();
      expect(packet.split('·')[2]!.split('x')[0]).toBe(String(number));
      worker.send(`WORK_COMPLETE ${handleIn(packet)}·`, 'ECHO_REQ ended');
      expect(await worker.next()).toBe('ECHO_RES ended');
      await settled();
    }
    expect(coreOf(jobServer).engine.jobCount).toBe(0);
  });

  it('lets a foreground client wait for a stored job of its unique', async () => {
    const jobServer = await start(new MemoryStorage(), 2);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f··2', 'SUBMIT_JOB_BG f··3', 'SUBMIT_JOB_BG f·u·4');
    await client.next();
    await client.next();
    await client.next();
    const stored = handleIn(await client.next());
    client.send('SUBMIT_JOB f·u·ignored');
    expect(await client.next()).toBe(`JOB_CREATED ${stored}`);
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f', 'GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB', `WORK_COMPLETE ${stored}·result`);
    expect(await client.next()).toBe(`WORK_COMPLETE ${stored}·result`);
  });

  it('answers a second background submission of a unique with the stored job', async () => {
    const jobServer = await start(new MemoryStorage(), 1);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f·u·2', 'SUBMIT_JOB_BG f·u·3', 'SUBMIT_JOB_BG f·-·4');
    client.send('SUBMIT_JOB_BG f·-·4', 'SUBMIT_JOB_BG f·-·5');
    const created = [];
    for (let count = 0; count < 6; count++) created.push(handleIn(await client.next()));
    expect(created[2]).toBe(created[1]);
    expect(created[4]).toBe(created[3]);
    expect(new Set(created).size).toBe(4);
  });

  it('stores a foreground job that is submitted in the background as well', async () => {
    const storage = new MemoryStorage();
    const before = await start(storage);
    const client = new RawPeer(before.connect());
    client.send('SUBMIT_JOB f·u·x', 'SUBMIT_JOB_BG f·u·x');
    const [foreground, background] = [await client.next(), await client.next()];
    expect(background).toBe(foreground);
    await before.stop();
    const worker = new RawPeer((await start(storage)).connect());
    worker.send('CAN_DO f', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB_UNIQ');
    expect(await worker.next()).toBe(`JOB_ASSIGN_UNIQ ${handleIn(foreground)}·f·u·x`);
  });

  it('runs a job once that was submitted in the foreground, then in the background, behind a deep queue', async () => {
    const storage = new MemoryStorage();
    const jobServer = await start(storage, 1);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB f·u·x', 'SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f··2', 'SUBMIT_JOB_BG f·u·x');
    const handles = (await client.nextOnes(4)).map(handleIn);
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f', 'GRAB_JOB', `WORK_COMPLETE ${handles[0]}·done`);
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handles[0]}·f·x`);
    expect(await client.next()).toBe(`WORK_COMPLETE ${handles[0]}·done`);
    const seen = [];
    while (seen.length < 2) {
      worker.send('GRAB_JOB');
      const packet = await worker.next();
      if (packet === 'NO_JOB') continue;
      seen.push(packet);
      worker.send(`WORK_COMPLETE ${handleIn(packet)}·`);
    }
    expect(seen).toEqual([`JOB_ASSIGN ${handles[1]}·f·1`, `JOB_ASSIGN ${handles[2]}·f·2`]);
    expect(await worker.untilEcho()).toEqual([]);
    expect(storage.counts()).toEqual([]);
  });

  it('lets a foreground client join a job of its unique that is not on disk yet', async () => {
    const storage = new SlowStorage();
    const jobServer = await start(storage);
    const [one, other] = [new RawPeer(jobServer.connect()), new RawPeer(jobServer.connect())];
    one.send('SUBMIT_JOB_BG f··first', 'SUBMIT_JOB_BG f·u·x');
    await turnsUntil('both are on their way to the disk', () => storage.count('f').total[1] === 2);
    other.send('SUBMIT_JOB f·u·y');
    const joined = handleIn(await other.next());
    storage.sync();
    storage.sync();
    expect((await one.nextOnes(2)).map(handleIn)[1]).toBe(joined);
  });

  it('answers what it has taken before it stops', async () => {
    const storage = new SlowStorage();
    const jobServer = await start(storage);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··x');
    await turnsUntil('it is on its way to the disk', () => storage.count('f').total[1] === 1);
    await jobServer.stop();
    expect(await client.next()).toMatch(/^JOB_CREATED H:/);
  });

  it('blames no job for a worker that it disconnects itself by stopping', async () => {
    const storage = new MemoryStorage();
    const policies = { f: { retries: 0 } };
    const before = new JobServer({ listeners: [], storage, policies, jobRetries: 1 });
    await before.start();
    const peer = new RawPeer(before.connect());
    peer.send('SUBMIT_JOB_BG f··x', 'CAN_DO f', 'GRAB_JOB');
    const handle = handleIn(await peer.next());
    expect(await peer.next()).toBe(`JOB_ASSIGN ${handle}·f·x`);
    await before.stop();
    const admin = new RawPeer((await start(storage)).connect());
    admin.sendText('show dead jobs\nshow jobs\n');
    expect(await admin.nextOnes(3)).toEqual(['.\n', `${handle}\t0\t0\t1\n`, '.\n']);
  });

  it('starts again after it stopped, with the jobs that are stored and no others', async () => {
    const jobServer = await start(new MemoryStorage());
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f··2');
    const [first, second] = (await client.nextOnes(2)).map(handleIn);
    await jobServer.stop();
    await jobServer.start();
    const worker = new RawPeer(jobServer.connect());
    worker.send('CAN_DO f', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB');
    expect(await worker.nextOnes(3)).toEqual([`JOB_ASSIGN ${first}·f·1`, `JOB_ASSIGN ${second}·f·2`, 'NO_JOB']);
    worker.sendText('status\n');
    expect(await worker.next()).toBe('f\t2\t2\t1\n');
  });

  it('logs that its storage grows as it cannot be made shorter, and stays healthy', async () => {
    class Growing extends MemoryStorage {
      heard: StorageListener | undefined;
      override async open(listener: StorageListener): Promise<void> {
        this.heard = listener;
        await super.open(listener);
      }
    }
    const storage = new Growing();
    const lines: string[] = [];
    const jobServer = new JobServer({ listeners: [], storage, log: (level, line) => lines.push(`${level}: ${line}`) });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    lines.length = 0;
    storage.heard!.compaction!(new StorageError('GEARMAN_STORAGE_IO', 'the disk failed'));
    expect(coreOf(jobServer).storedJobs!.problem).toBeUndefined();
    storage.heard!.compaction!(undefined);
    expect(lines).toEqual([
      'error: storage: grows, as it cannot be made shorter: the disk failed',
      'info: storage: is made shorter again',
    ]);
  });

  it('knows, lists and cancels a job that waits in storage only', async () => {
    const jobServer = await start(new MemoryStorage(), 1);
    const client = new RawPeer(jobServer.connect());
    client.send('SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f·u·2');
    const [first, second] = [handleIn(await client.next()), handleIn(await client.next())];
    client.send(`GET_STATUS ${second}`);
    expect(await client.next()).toBe(`STATUS_RES ${second}·1·0·0·0`);
    client.send('GET_STATUS_UNIQUE u', 'GET_STATUS_UNIQUE v');
    expect(await client.nextOnes(2)).toEqual(['STATUS_RES_UNIQUE u·1·0·0·0·0', 'STATUS_RES_UNIQUE v·0·0·0·0·0']);
    client.sendText('show jobs\n');
    expect([await client.next(), await client.next(), await client.next()]).toEqual([
      `${first}\t0\t0\t1\n`,
      `${second}\t0\t0\t1\n`,
      '.\n',
    ]);
    client.sendText(`cancel job ${second}\n`);
    expect(await client.next()).toBe('OK\r\n');
    client.sendText('status\n');
    expect(await client.next()).toBe('f\t1\t0\t0\n');
  });
});
