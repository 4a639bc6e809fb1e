import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import type { Daemon } from '../support/daemon.js';
import {
  crashAndRestart,
  jobCount,
  mustAccept,
  startDurableJobServer,
  workAll,
} from '../support/durable-job-server.js';
import { describeWith } from '../support/peers.js';
import { CLOSED, RawPeer } from '../support/raw-peer.js';
import { injectFault } from '../support/strace.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

/** All ways to write a page. */
const writesFail = (error: string): string[] =>
  ['pwrite64', 'pwritev', 'writev'].map((name) => `${name}:error=${error}`);

const FAULTS: [what: string, faults: readonly string[], reason: RegExp][] = [
  ['fails at fdatasync', ['fdatasync:error=EIO'], /the disk failed \(Input\/output error\) in .*: check the disk/],
  ['fails at every write', writesFail('EIO'), /the disk failed \(Input\/output error\) in .*: check the disk/],
  [
    'makes no new file',
    [...writesFail('EIO'), 'openat:error=EIO'],
    /the disk failed \(Input\/output error\) in .*: check the disk/,
  ],
  ['is over its quota', writesFail('EDQUOT'), /the disk of .* is full: make room/],
  [
    'has become read-only',
    [...writesFail('EROFS'), 'fdatasync:error=EROFS', 'openat:error=EROFS'],
    /.* cannot be written \(.*\): mount it read-write, or give/,
  ],
];

async function withClient(args: readonly string[] = []): Promise<{ path: string; server: Daemon; client: RawPeer }> {
  const path = join(tempDir(), 'jobs');
  const server = await startDurableJobServer(path, args);
  return { path, server, client: await RawPeer.connect(server) };
}

/** A worker of `f` that has one job, and its handle. */
async function withJob(server: Daemon): Promise<{ worker: RawPeer; handle: string; workload: string }> {
  const worker = await RawPeer.connect(server);
  worker.send('CAN_DO f');
  const [, handle, workload] = await until('a worker has a job', async () => {
    worker.send('GRAB_JOB');
    return /^JOB_ASSIGN ([^·]+)·f·(.*)$/.exec(await worker.next());
  });
  return { worker, handle: handle!, workload: workload! };
}

describeWith('strace', 'a job server whose disk', () => {
  it.each(FAULTS)(
    '%s stays up, refuses with the reason, keeps what it has accepted, and accepts again afterwards',
    async (_, faults, reason) => {
      const { path, server, client } = await withClient();
      for (const workload of ['first', 'second', 'third']) await mustAccept(client, `SUBMIT_JOB_BG f··${workload}`);
      const fault = await injectFault(server.pid, path, ...faults);
      for (let index = 0; index < 5; index++) {
        client.send(`SUBMIT_JOB_BG f··refused ${index}`);
        expect(await client.next()).toMatch(new RegExp(`^ERROR QUEUE_ERROR·${reason.source}`));
      }
      expect(await jobCount(server)).toBe(3);

      // What needs no disk goes on: jobs that were accepted, and foreground jobs.
      const { worker, handle, workload } = await withJob(server);
      expect(workload).toBe('first');
      worker.send(`WORK_COMPLETE ${handle}·`, 'CAN_DO now', 'CANT_DO f', 'GRAB_JOB');
      expect(await worker.next()).toBe('NO_JOB');
      client.send('SUBMIT_JOB now··quick');
      expect(await client.next()).toMatch(/^JOB_CREATED/);
      worker.send('GRAB_JOB');
      const [, other] = /^JOB_ASSIGN ([^·]+)·now·quick$/.exec(await worker.next())!;
      worker.send(`WORK_COMPLETE ${other}·done`);
      expect(await client.next()).toBe(`WORK_COMPLETE ${other}·done`);

      await fault.detach();
      await mustAccept(client, 'SUBMIT_JOB_BG f··fourth');
      await until('it says so', () => server.output().includes('storage: writes again'));
      expect(server.output().match(new RegExp(`storage: ${reason.source}`, 'g'))).toHaveLength(1);
      const restarted = await crashAndRestart(server, path);
      expect(await workAll(restarted)).toEqual(['second', 'third', 'fourth']);
      expect(await restarted.stop()).toBe(0);
    },
  );

  it('fails gives no job out that it has not on disk once it knows', async () => {
    const { path, server, client } = await withClient();
    const worker = await RawPeer.connect(server);
    worker.send('CAN_DO f', 'ALL_YOURS', 'GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB');
    await worker.untilEcho();
    // The log is made with the first job.
    await mustAccept(client, 'SUBMIT_JOB_BG g··x');
    const fault = await injectFault(server.pid, path, 'fdatasync:error=EIO');
    client.send('SUBMIT_JOB_BG f··the first to fail');
    expect(await client.next()).toMatch(/^ERROR QUEUE_ERROR·/);
    // Nobody could know yet: it was given to the waiting worker, whose report is for nobody.
    const [, handle] = /^JOB_ASSIGN ([^·]+)·f·the first to fail$/.exec(await worker.next())!;
    worker.send(`WORK_COMPLETE ${handle}·`);
    client.send('SUBMIT_JOB_BG f··refused', 'SUBMIT_JOB_HIGH_BG f·unique·refused', 'SUBMIT_JOB_EPOCH f··1·refused');
    for (const answer of await client.nextOnes(3)) expect(answer).toMatch(/^ERROR QUEUE_ERROR·/);
    expect(await worker.untilEcho()).not.toContainEqual(expect.stringContaining('refused'));
    expect(await jobCount(server)).toBe(0);
    await fault.detach();
    const accepted = await mustAccept(client, 'SUBMIT_JOB_BG f·unique·accepted');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${accepted}·f·accepted`);
  });

  it('fails runs jobs whose time comes meanwhile, and ends by itself only when it is told', async () => {
    const { path, server, client } = await withClient();
    const soon = Math.ceil(Date.now() / 1_000) + 1;
    await mustAccept(client, `SUBMIT_JOB_EPOCH f··${soon}·its time comes`);
    await mustAccept(client, `SUBMIT_JOB_EPOCH f··4000000000·in the year 2096`);
    const fault = await injectFault(server.pid, path, ...FAULTS.at(-1)![1]);
    client.send('SUBMIT_JOB_BG f··refused');
    expect(await client.next()).toMatch(/^ERROR QUEUE_ERROR·/);
    await until('its time has come', () => Date.now() / 1_000 > soon + 1);
    expect(await client.untilEcho()).toEqual([]);
    await fault.detach();
    const { workload } = await withJob(server);
    expect(workload).toBe('its time comes');
  });

  it.each(FAULTS)('%s leaks no file, however often it tries', async (_, faults) => {
    const { path, server, client } = await withClient();
    const files = (): number => readdirSync(`/proc/${server.pid}/fd`).length;
    await mustAccept(client, 'SUBMIT_JOB_BG f··x');
    const before = files();
    const fault = await injectFault(server.pid, path, ...faults);
    for (let index = 0; index < 50; index++) {
      client.send('SUBMIT_JOB_BG f··refused');
      expect(await client.next()).toMatch(/^ERROR QUEUE_ERROR·/);
    }
    await fault.detach();
    await mustAccept(client, 'SUBMIT_JOB_BG f··x');
    expect(files()).toBeLessThan(before + 10);
  });

  it('fails can be stopped, which says what was not written', async () => {
    const { path, server, client } = await withClient();
    await mustAccept(client, 'SUBMIT_JOB_BG f··ended, but its end is not on disk');
    const { worker, handle } = await withJob(server);
    await injectFault(server.pid, path, 'fdatasync:error=EIO');
    worker.send(`WORK_COMPLETE ${handle}·`);
    await worker.untilEcho();
    expect(await server.stop()).toBe(1);
    expect(await client.next()).toBe(CLOSED);
    expect(server.output()).toMatch(/the disk failed/);
    const restarted = await startDurableJobServer(path, [], server.port);
    expect(await workAll(restarted)).toEqual(['ended, but its end is not on disk']);
  });
});
