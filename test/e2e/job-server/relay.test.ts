import { describe, expect, it } from '@jest/globals';
import {
  JobServer,
  MemoryJobs,
  MemoryStorage,
  type JobServerOptions,
  type ListenerOptions,
} from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { certificateAuthority } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';

/** Job servers that share a storage, and know where each is. */
class Fleet {
  readonly jobs = new MemoryJobs();

  async start(name: string, options: JobServerOptions = {}, isToldWhere = true): Promise<Member> {
    const port = await freePort();
    const storage = new MemoryStorage(this.jobs, { name, address: isToldWhere ? `127.0.0.1:${port}` : '' });
    const server = new JobServer({ listeners: [{ host: '127.0.0.1', port }], storage, ...options });
    await server.start();
    atEnd(() => server.stop());
    return { server, storage, peer: () => new RawPeer(server.connect()) };
  }
}

interface Member {
  server: JobServer;
  storage: MemoryStorage;
  /** A new connection to it. */
  peer(): RawPeer;
}

/** A job that was accepted at one job server and runs there, and a caller of it at another. */
async function followed(options: JobServerOptions = {}) {
  const fleet = new Fleet();
  const [here, there] = [await fleet.start('here', options), await fleet.start('there', options)];
  const { worker, handle } = await running(there);
  const caller = here.peer();
  caller.send('OPTION_REQ exceptions', 'SUBMIT_JOB f·u·x');
  expect(await caller.nextOnes(2)).toEqual(['OPTION_RES exceptions', `JOB_CREATED ${handle}`]);
  await isFollowed(there, handle);
  return { fleet, here, there, worker, handle, caller };
}

/** Gives a job to a worker of a job server. */
async function running({ peer }: Member): Promise<{ worker: RawPeer; handle: string }> {
  const [client, worker] = [peer(), peer()];
  client.send('SUBMIT_JOB_BG f·u·x');
  const handle = (await client.next()).replace('JOB_CREATED ', '');
  worker.send('CAN_DO f');
  expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
  return { worker, handle };
}

/** The next assignment. */
async function grab(worker: RawPeer): Promise<string> {
  for (;;) {
    worker.send('GRAB_JOB');
    const answer = await worker.next();
    if (answer !== 'NO_JOB') return answer;
    worker.send('PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
  }
}

/** Waits until another job server waits for a job of this one. */
async function isFollowed({ server }: Member, handle: string): Promise<void> {
  await until('it is followed', () => (coreOf(server).engine.find(handle)?.clients?.length ?? 0) > 0);
}

async function statusAt(member: Member, handle: string): Promise<string> {
  const asker = member.peer();
  asker.send(`GET_STATUS ${handle}`);
  return (await asker.next()).replace(handle, '');
}

describe('a caller whose background twin runs at another job server', () => {
  it('hears its data, warnings and progress, and its result', async () => {
    const { here, there, worker, handle, caller } = await followed();
    worker.send(`WORK_DATA ${handle}·part`, `WORK_WARNING ${handle}·careful`, `WORK_STATUS ${handle}·1·4`);
    const told = [`WORK_DATA ${handle}·part`, `WORK_WARNING ${handle}·careful`, `WORK_STATUS ${handle}·1·4`];
    expect(await caller.nextOnes(3)).toEqual(told);
    expect(await statusAt(here, handle)).toBe('STATUS_RES ·1·1·1·4');
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·done`);
    expect([coreOf(here.server).engine.jobCount, coreOf(there.server).engine.jobCount]).toEqual([0, 0]);
  });

  it('hears why it failed', async () => {
    const { worker, handle, caller } = await followed();
    worker.send(`WORK_EXCEPTION ${handle}·boom`);
    expect(await caller.next()).toBe(`WORK_EXCEPTION ${handle}·boom`);
  });

  it('is told of the progress there was before it came', async () => {
    const fleet = new Fleet();
    const [here, there] = [await fleet.start('here'), await fleet.start('there')];
    const { worker, handle } = await running(there);
    worker.send(`WORK_STATUS ${handle}·3·4`, 'ECHO_REQ said');
    expect(await worker.next()).toBe('ECHO_RES said');
    const caller = here.peer();
    caller.send('SUBMIT_JOB f·u·x');
    expect(await caller.nextOnes(2)).toEqual([`JOB_CREATED ${handle}`, `WORK_STATUS ${handle}·3·4`]);
  });

  it('shares it with every other caller and submission of that unique', async () => {
    const { here, worker, handle, caller } = await followed();
    const [second, third] = [here.peer(), here.peer()];
    second.send('SUBMIT_JOB f·u·x');
    third.send('SUBMIT_JOB_BG f·u·x');
    expect([await second.next(), await third.next()]).toEqual([`JOB_CREATED ${handle}`, `JOB_CREATED ${handle}`]);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    for (const each of [caller, second]) expect(await each.next()).toBe(`WORK_COMPLETE ${handle}·done`);
    expect(coreOf(here.server).engine.jobCount).toBe(0);
  });

  it('waits for it no more when it has left, and neither does its job server', async () => {
    const { here, there, worker, handle, caller } = await followed();
    caller.destroy();
    await until('nobody follows it', () => coreOf(there.server).engine.find(handle)?.clients?.length === 0);
    expect(coreOf(here.server).engine.jobCount).toBe(0);
    worker.send(`WORK_COMPLETE ${handle}·done`, 'ECHO_REQ said');
    expect(await worker.next()).toBe('ECHO_RES said');
  });

  it('hears that it failed when it is cancelled while it waits, at any job server', async () => {
    const fleet = new Fleet();
    const [here, there] = [await fleet.start('here'), await fleet.start('there')];
    const { worker } = await running(there);
    const client = there.peer();
    client.send('SUBMIT_JOB_BG f·v·y');
    const handle = (await client.next()).replace('JOB_CREATED ', '');
    await until('it waits there', () => coreOf(there.server).engine.find(handle) !== undefined);
    const caller = here.peer();
    caller.send('SUBMIT_JOB f·v·y');
    expect(await caller.next()).toBe(`JOB_CREATED ${handle}`);
    await isFollowed(there, handle);
    const admin = here.peer();
    admin.sendText(`cancel job ${handle}\n`);
    expect(await admin.next()).toBe('OK\r\n');
    expect(await caller.next()).toBe(`WORK_FAIL ${handle}`);
    worker.destroy();
  });
});

describe('when the other job server is lost', () => {
  it('the job runs here, once, and its caller hears of it', async () => {
    const { here, there, handle, caller } = await followed();
    const worker = here.peer();
    worker.send('CAN_DO f');
    await there.server.stop();
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·done`);
    worker.send('GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
  });

  it('it is followed where it runs next', async () => {
    const { fleet, there, handle, caller } = await followed();
    const third = await fleet.start('third');
    const worker = third.peer();
    worker.send('CAN_DO f', 'PRE_SLEEP');
    await there.server.stop();
    expect(await worker.next()).toBe('NOOP');
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    await isFollowed(third, handle);
    worker.send(`WORK_COMPLETE ${handle}·at last`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·at last`);
  });

  it('a result that is kept is told', async () => {
    const { here, there, fleet, handle, caller } = await followed({ keepResults: 60_000 });
    const outcome = { state: 'complete', result: Buffer.from('kept'), keepUntil: Date.now() + 60_000 } as const;
    // It ends in the moment in which its job server dies.
    there.storage.done(handle, outcome);
    await there.server.stop();
    expect(fleet.jobs.entries.size).toBe(0);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·kept`);
    expect(coreOf(here.server).engine.jobCount).toBe(0);
  });

  it('what ended without a trace runs here', async () => {
    const { here, there, handle, caller } = await followed();
    there.storage.done(handle);
    await there.server.stop();
    const worker = here.peer();
    worker.send('CAN_DO f');
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_COMPLETE ${handle}·again`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·again`);
  });
});

describe('a job that clients wait for', () => {
  it('is left to a job server that has workers', async () => {
    const fleet = new Fleet();
    const [idle, busy] = [await fleet.start('idle'), await fleet.start('busy')];
    const [submitter, caller] = [idle.peer(), idle.peer()];
    submitter.send('SUBMIT_JOB_BG f·u·x');
    const handle = (await submitter.next()).replace('JOB_CREATED ', '');
    caller.send('SUBMIT_JOB f·u·x');
    expect(await caller.next()).toBe(`JOB_CREATED ${handle}`);
    const worker = busy.peer();
    worker.send('CAN_DO f');
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    await isFollowed(busy, handle);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·done`);
  });

  it('is left to others when the last worker leaves', async () => {
    const fleet = new Fleet();
    const [one, two] = [await fleet.start('one'), await fleet.start('two')];
    const { worker, handle } = await running(one);
    const caller = one.peer();
    caller.send('SUBMIT_JOB f·u·x');
    expect(await caller.next()).toBe(`JOB_CREATED ${handle}`);
    worker.destroy();
    const other = two.peer();
    other.send('CAN_DO f');
    expect(await grab(other)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    await isFollowed(two, handle);
    other.send(`WORK_COMPLETE ${handle}·done`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·done`);
  });
});

describe('where a job server does not say where it is', () => {
  it('a caller is given a job of its own', async () => {
    const fleet = new Fleet();
    const here = await fleet.start('here');
    const there = await fleet.start('there', {}, false);
    const { handle } = await running(there);
    const caller = here.peer();
    caller.send('SUBMIT_JOB f·u·x');
    const created = await caller.next();
    expect(created).toMatch(/^JOB_CREATED H:/);
    expect(created).not.toContain(handle);
    expect(await statusAt(here, handle)).toBe('STATUS_RES ·1·0·0·0');
  });
});

describe('job servers that speak TLS with each other', () => {
  it('join callers as well, where the certificates are trusted', async () => {
    const jobs = new MemoryJobs();
    const authority = certificateAuthority();
    const { files, cert, key } = authority.issue('localhost');
    const start = async (name: string): Promise<Member> => {
      const port = await freePort();
      const listener = {
        host: '127.0.0.1',
        port,
        tls: { ...files, ca: authority.file, clientCertificate: 'required' },
      };
      const storage = new MemoryStorage(jobs, { name, address: `tls://localhost:${port}` });
      const relay = { tls: { ca: authority.ca, cert, key } };
      const server = new JobServer({ listeners: [listener as ListenerOptions], storage, relay });
      await server.start();
      atEnd(() => server.stop());
      return { server, storage, peer: () => new RawPeer(server.connect()) };
    };
    const [here, there] = [await start('here'), await start('there')];
    const { worker, handle } = await running(there);
    const caller = here.peer();
    caller.send('SUBMIT_JOB f·u·x');
    expect(await caller.next()).toBe(`JOB_CREATED ${handle}`);
    await isFollowed(there, handle);
    worker.send(`WORK_COMPLETE ${handle}·done`);
    expect(await caller.next()).toBe(`WORK_COMPLETE ${handle}·done`);
  });
});

describe('GET_STATUS at another job server', () => {
  it('tells the progress', async () => {
    const fleet = new Fleet();
    const [here, there] = [await fleet.start('here'), await fleet.start('there')];
    const { worker, handle } = await running(there);
    worker.send(`WORK_STATUS ${handle}·3·4`, 'ECHO_REQ said');
    expect(await worker.next()).toBe('ECHO_RES said');
    expect(await statusAt(here, handle)).toBe('STATUS_RES ·1·1·3·4');
    const asker = here.peer();
    asker.send('GET_STATUS_UNIQUE u');
    expect(await asker.next()).toBe('STATUS_RES_UNIQUE u·1·1·3·4·0');
  });
});

describe('OPTION_REQ follow', () => {
  it('is refused where the job is not held', async () => {
    const fleet = new Fleet();
    const peer = (await fleet.start('here')).peer();
    peer.send('OPTION_REQ follow=H:nowhere:1', 'SUBMIT_JOB f·u·x');
    expect(await peer.next()).toBe('ERROR JOB_NOT_FOUND·No background job with this handle is here');
    const handle = (await peer.next()).replace('JOB_CREATED ', '');
    // Of a foreground job nobody is told who did not submit it.
    peer.send(`OPTION_REQ follow=${handle}`);
    expect(await peer.next()).toMatch(/^ERROR JOB_NOT_FOUND/);
  });

  it('is refused to whom `authorize` does not let ask for status', async () => {
    const fleet = new Fleet();
    const there = await fleet.start('there', { authorize: ({ action }) => action !== 'status' });
    const { handle } = await running(there);
    const peer = there.peer();
    peer.send(`OPTION_REQ follow=${handle}`);
    expect(await peer.next()).toMatch(/^ERROR ACCESS_DENIED/);
  });
});
