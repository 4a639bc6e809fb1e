import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import { headerBytes } from '../../lib/job-server/storage/log/record.js';
import { runCommand } from '../support/command.js';
import type { Daemon } from '../support/daemon.js';
import {
  crashAndRestart,
  jobCount,
  mustAccept,
  startDurableJobServer,
  workAll,
} from '../support/durable-job-server.js';
import { RawPeer } from '../support/raw-peer.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

/** How many jobs of `f` are running. */
async function runningCount(server: Daemon): Promise<number> {
  const admin = await RawPeer.connect(server);
  admin.sendText('status\n');
  const line = (await admin.list()).find((each) => each.startsWith('f\t'));
  return Number(line?.split('\t')[2]);
}

async function started(args: readonly string[] = []): Promise<{ path: string; server: Daemon; client: RawPeer }> {
  const path = join(tempDir(), 'jobs');
  const server = await startDurableJobServer(path, args);
  return { path, server, client: await RawPeer.connect(server) };
}

/** Has a worker take a job, and tells how it was assigned. */
async function take(
  server: Daemon,
  grab = 'GRAB_JOB',
  name = 'f',
): Promise<{ worker: RawPeer; assignment: string; handle: string }> {
  const worker = await RawPeer.connect(server);
  worker.send(`CAN_DO ${name}`);
  const [assignment, handle] = await until('a job is assigned', async () => {
    worker.send(grab);
    return /^JOB_ASSIGN\S* ([^·]+)·.*$/.exec(await worker.next());
  });
  return { worker, assignment, handle: handle! };
}

/** Changes one byte of what stands somewhere in a file. */
function damage(file: string, text: string): void {
  const bytes = readFileSync(file);
  const at = bytes.indexOf(text, 0, 'latin1');
  expect(at).toBeGreaterThan(0);
  // It may stand in pages that are no longer in use as well.
  for (let each = at; each >= 0; each = bytes.indexOf(text, each + 1, 'latin1')) bytes[each + 1]! ^= 0x20;
  writeFileSync(file, bytes);
}

/** What a segment of the next format would begin with. */
function newerHeader(): Buffer {
  const header = headerBytes({ number: 1, first: 0, previousEnd: 0, claim: 1, seed: 1, secret: 1 });
  header.writeUInt32LE(2, 4);
  header.writeUInt32LE(crc32(header.subarray(0, 60)), 60);
  return header;
}

describe('a job server with its jobs on disk', () => {
  it('has every background job after kill -9 as it was: priority, order, time, unique, reducer, handle', async () => {
    const { path, server, client } = await started();
    const past = Math.floor(Date.now() / 1_000) - 5;
    await mustAccept(client, 'SUBMIT_JOB_LOW_BG f··low');
    await mustAccept(client, 'SUBMIT_JOB_BG f··normal 1');
    const unique = await mustAccept(client, 'SUBMIT_JOB_BG f·u·normal 2');
    await mustAccept(client, 'SUBMIT_JOB_HIGH_BG f··high');
    await mustAccept(client, `SUBMIT_JOB_EPOCH g··${past}·its time has come`);
    await mustAccept(client, 'SUBMIT_JOB_EPOCH g··4000000000·in the year 2096');
    const reduced = await mustAccept(client, 'SUBMIT_REDUCE_JOB_BACKGROUND f·r·sum·normal 3');
    const restarted = await crashAndRestart(server, path);
    const again = await RawPeer.connect(restarted);
    expect(await mustAccept(again, 'SUBMIT_JOB_BG f·u·another')).toBe(unique);
    const { worker, assignment } = await take(restarted, 'GRAB_JOB_ALL');
    expect(assignment).toMatch(/·high$/);
    worker.send('GRAB_JOB_ALL', 'GRAB_JOB_ALL', 'GRAB_JOB_ALL');
    const next = await worker.nextOnes(3);
    expect(next[2]).toBe(`JOB_ASSIGN_ALL ${reduced}·f·r·sum·normal 3`);
    worker.destroy();
    expect(await workAll(restarted)).toEqual(['high', 'normal 1', 'normal 2', 'normal 3', 'low']);
    const timed = await take(restarted, 'GRAB_JOB', 'g');
    expect(timed.assignment).toMatch(/·its time has come$/);
    timed.worker.send('GRAB_JOB');
    expect(await timed.worker.next()).toBe('NO_JOB');
    expect(await jobCount(restarted, 'g')).toBe(2);
  });

  it('runs a job again that ran at kill -9, and none after a clean stop that had ended', async () => {
    const { path, server, client } = await started();
    for (const workload of ['runs', 'waits', 'ends']) await mustAccept(client, `SUBMIT_JOB_BG f··${workload}`);
    await take(server);
    const restarted = await crashAndRestart(server, path);
    const { worker, assignment, handle } = await take(restarted);
    expect(assignment).toMatch(/·runs$/);
    worker.send(`WORK_COMPLETE ${handle}·`);
    await worker.untilEcho();
    expect(await restarted.stop()).toBe(0);
    expect(await workAll(await startDurableJobServer(path, [], restarted.port))).toEqual(['waits', 'ends']);
  });

  it('counts the workers that a job lost before kill -9', async () => {
    const args = ['--job-retries', '2'];
    const { path, server, client } = await started(args);
    await mustAccept(client, 'SUBMIT_JOB_BG f··x');
    (await take(server)).worker.destroy();
    await until('the loss is known', async () => (await runningCount(server)) === 0);
    // Written with this one at the latest.
    await mustAccept(client, 'SUBMIT_JOB_BG g··y');
    const restarted = await crashAndRestart(server, path, args);
    (await take(restarted)).worker.destroy();
    await until('it is out of retries', async () => (await jobCount(restarted)) === 0);
  });

  it('owns its folder: a second one ends with an error, unless the first was killed', async () => {
    const { path, server, client } = await started();
    await mustAccept(client, 'SUBMIT_JOB_BG f··x');
    const second = await runCommand(['job-server', '-p', '0', '-L', '127.0.0.1', '-q', 'file', '--queue-path', path]);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(
      new RegExp(
        `^nestjs-gearman: process ${server.pid} on .* has ${path} open: stop it, or give this job server another`,
      ),
    );
    await mustAccept(client, 'SUBMIT_JOB_BG f··y');
    expect(await workAll(await crashAndRestart(server, path))).toEqual(['x', 'y']);
  });

  it('sets a record aside that is not as it was written, names it in the log, once, and runs all others', async () => {
    const { path, server, client } = await started();
    for (const workload of ['first', 'second, to be damaged', 'third']) {
      await mustAccept(client, `SUBMIT_JOB_BG f··${workload}`);
    }
    expect(await server.stop()).toBe(0);
    for (const name of readdirSync(path)) if (name.endsWith('.log')) damage(join(path, name), 'second, to be damaged');
    const restarted = await startDurableJobServer(path, [], server.port);
    expect(await workAll(restarted)).toEqual(['first', 'third']);
    expect(restarted.output()).toMatch(
      /storage: a job of f cannot be read and was set aside as damaged-1-\d+: \d+ bytes at \d+ of 0000000001-1\.log are damaged/,
    );
    await mustAccept(await RawPeer.connect(restarted), 'SUBMIT_JOB_BG f··fourth');
    expect(await restarted.stop()).toBe(0);
    const last = await startDurableJobServer(path, [], server.port);
    expect(await workAll(last)).toEqual(['fourth']);
    expect(last.output()).not.toContain('set aside');
  });

  it.each([
    [
      'jobs in the form of LMDB',
      'data.mdb',
      'whatever',
      'holds jobs in the form of LMDB: nestjs-gearman import --from lmdb',
    ],
    ['a log of a later version', '0000000001-1.log', newerHeader(), 'the log in .* has format 2, which is newer than'],
  ])('is not started on %s, leaves it as it is, and says the cure', async (_, name, content, error) => {
    const path = tempDir();
    writeFileSync(join(path, name), content);
    const { code, stderr } = await runCommand([
      'job-server',
      '-p',
      '0',
      '-L',
      '127.0.0.1',
      '-q',
      'file',
      '--queue-path',
      path,
    ]);
    expect(stderr).toMatch(new RegExp(`^nestjs-gearman: .*${error}`, 'm'));
    expect(code).toBe(1);
    expect(readFileSync(join(path, name))).toEqual(Buffer.from(content));
  });
});
