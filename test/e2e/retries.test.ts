import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { AdminClient, JobClient, ServerError, type DeadJob } from 'nestjs-gearman';
import { atEnd } from '../support/cleanup.js';
import { startJobServerCommand } from '../support/command.js';
import type { Daemon } from '../support/daemon.js';
import { startGearmand } from '../support/gearmand.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { tempDir } from '../support/temp-dir.js';
import { command } from '../support/terminal.js';
import { until } from '../support/until.js';

const AT_ONCE = 'backoff=0..0';

/** A job server process with its queue on disk, which may crash and come back. */
class DurableJobServer {
  private constructor(
    private readonly args: readonly string[],
    private daemon: Daemon,
  ) {}

  static async start(...options: string[]): Promise<DurableJobServer> {
    const args = ['-q', 'lmdb', '--lmdb-path', join(tempDir(), 'queue'), ...options];
    return new DurableJobServer(args, await startJobServerCommand(args));
  }

  get address(): string {
    return `127.0.0.1:${this.daemon.port}`;
  }

  /** `kill -9`, and another process in its place. */
  async crash(): Promise<void> {
    await this.daemon.kill();
    this.daemon = await startJobServerCommand(this.args, this.daemon.port);
  }

  peer(): Promise<RawPeer> {
    return RawPeer.connect(this.daemon);
  }

  async submit(packet: string): Promise<string> {
    const client = await this.peer();
    client.send(packet);
    return (await client.next()).slice('JOB_CREATED '.length);
  }

  async worker(...abilities: string[]): Promise<RawPeer> {
    const worker = await this.peer();
    worker.send(...abilities);
    return worker;
  }

  async dead(): Promise<DeadJob[]> {
    const admin = new AdminClient({ server: this.address });
    try {
      return await admin.deadJobs();
    } finally {
      await admin.close();
    }
  }

  /** The dead letters, once there are some. */
  async untilDead(count = 1): Promise<DeadJob[]> {
    let letters: DeadJob[] = [];
    await until(`${count} dead letters`, async () => (letters = await this.dead()).length === count);
    return letters;
  }

  async status(name: string): Promise<string | undefined> {
    const peer = await this.peer();
    peer.sendText('status\n');
    return (await peer.list()).find((line) => line.startsWith(`${name}\t`));
  }
}

/** Sleeps until there is a job, and takes it. */
async function grab(worker: RawPeer): Promise<string> {
  for (;;) {
    worker.send('PRE_SLEEP');
    expect(await worker.next(40_000)).toBe('NOOP');
    worker.send('GRAB_JOB');
    const answer = await worker.next();
    if (answer !== 'NO_JOB') return answer;
  }
}

describe('a policy of nestjs-gearman job-server', () => {
  it('retries what a worker reports as failed, throws, or leaves by dying; then keeps it with its last error', async () => {
    const server = await DurableJobServer.start('--policy', `f:retries=3,${AT_ONCE}`);
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const assigned = `JOB_ASSIGN ${handle}·f·x`;
    const worker = await server.worker('CAN_DO f');
    expect(await grab(worker)).toBe(assigned);
    worker.send(`WORK_FAIL ${handle}`);
    expect(await grab(worker)).toBe(assigned);
    worker.send(`WORK_EXCEPTION ${handle}·not yet`);
    expect(await grab(worker)).toBe(assigned);
    worker.destroy();
    const other = await server.worker('CAN_DO f');
    expect(await grab(other)).toBe(assigned);
    other.send(`WORK_EXCEPTION ${handle}·gr\xc3\xb6\xc3\x9fe`);
    expect(await server.untilDead()).toEqual([
      { handle, function: 'f', attempts: 3, losses: 1, error: 'größe', diedAt: expect.any(Date) },
    ]);
    expect(await server.status('f')).toBe('f\t0\t0\t1\n');
  });

  it('waits before a retry, also where the job server crashes meanwhile', async () => {
    const server = await DurableJobServer.start('--policy', 'f:backoff=1h');
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    // A later submission is durable: so is what was told before it.
    await server.submit('SUBMIT_JOB_BG g··x');
    await server.crash();
    const again = await server.worker('CAN_DO f', 'GRAB_JOB');
    expect(await again.next()).toBe('NO_JOB');
    expect(await server.status('f')).toBe('f\t1\t0\t1\n');
  });

  it('keeps a job over crashes in every state: waiting, running, dead, replayed', async () => {
    const server = await DurableJobServer.start('--policy', `*:retries=0`);
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const assigned = `JOB_ASSIGN ${handle}·f·x`;
    await server.crash();
    expect(await grab(await server.worker('CAN_DO f'))).toBe(assigned);
    await server.crash();
    const worker = await server.worker('CAN_DO f');
    expect(await grab(worker)).toBe(assigned);
    worker.send(`WORK_EXCEPTION ${handle}·why`);
    await server.untilDead();
    await server.submit('SUBMIT_JOB_BG g··x');
    await server.crash();
    expect(await server.dead()).toMatchObject([{ handle, error: 'why' }]);
    expect((await command(['dead', 'replay', handle, '-s', server.address])).stdout).toBe(`replayed ${handle}\n`);
    await server.submit('SUBMIT_JOB_BG g··y');
    await server.crash();
    expect(await server.dead()).toEqual([]);
    expect(await grab(await server.worker('CAN_DO f'))).toBe(assigned);
  });

  it('runs a replayed job with all its retries', async () => {
    const server = await DurableJobServer.start('--policy', `f:retries=1,${AT_ONCE}`);
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO f');
    for (let round = 0; round < 2; round++) {
      for (let run = 0; run < 2; run++) {
        expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
        worker.send(`WORK_FAIL ${handle}`);
      }
      expect(await server.untilDead()).toMatchObject([{ attempts: 1, error: 'its worker reported failure' }]);
      if (round > 0) break;
      const replayed = await command(['dead', 'replay', '--all', '-s', server.address]);
      expect(replayed).toEqual({ stdout: `replayed ${handle}\n`, stderr: '', exitCode: 0 });
    }
  });

  it('counts a time that ran out, and says so', async () => {
    const server = await DurableJobServer.start('--policy', 'f:retries=0');
    await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO_TIMEOUT f·20');
    await grab(worker);
    expect(await server.untilDead()).toMatchObject([{ losses: 1, error: expect.stringContaining('CAN_DO_TIMEOUT') }]);
  });

  it('retries a job that had a time of its own', async () => {
    const server = await DurableJobServer.start('--policy', `f:retries=1,${AT_ONCE}`);
    const handle = await server.submit(`SUBMIT_JOB_EPOCH f··${Math.ceil(Date.now() / 1_000)}·x`);
    const worker = await server.worker('CAN_DO f');
    for (let run = 0; run < 2; run++) {
      expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
      worker.send(`WORK_FAIL ${handle}`);
    }
    await server.untilDead();
  });

  it('frees the unique of a dead job, and does not replay it beside another with that unique', async () => {
    const server = await DurableJobServer.start('--policy', 'f:retries=0');
    const first = await server.submit('SUBMIT_JOB_BG f·u·1');
    expect(await server.submit('SUBMIT_JOB_BG f·u·ignored')).toBe(first);
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${first}`);
    await server.untilDead();
    const second = await server.submit('SUBMIT_JOB_BG f·u·2');
    expect(second).not.toBe(first);
    const refused = await command(['dead', 'replay', first, '-s', server.address]);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      `nestjs-gearman: not replayed: ${first}; no such dead letter, or a job with its unique waits or runs\n`,
    ]);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${second}·f·2`);
    worker.send(`WORK_COMPLETE ${second}·`);
    expect((await command(['dead', 'replay', first, '-s', server.address])).exitCode).toBe(0);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${first}·f·1`);
  });

  it('tells a client that waits for a background job its end alone, and lets it join between two tries', async () => {
    const server = await DurableJobServer.start('--policy', `f:retries=1,backoff=200ms`);
    const handle = await server.submit('SUBMIT_JOB_BG f·u·x');
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`);
    const client = await server.peer();
    client.send('SUBMIT_JOB f·u·x');
    expect(await client.next()).toBe(`JOB_CREATED ${handle}`);
    expect(await grab(worker)).toBe(`JOB_ASSIGN ${handle}·f·x`);
    worker.send(`WORK_EXCEPTION ${handle}·no`);
    expect(await client.next()).toBe(`WORK_FAIL ${handle}`);
    await server.untilDead();
  });

  it('does nothing for functions without one, as gearmand', async () => {
    const server = await DurableJobServer.start('--policy', 'other:retries=5');
    const handle = await server.submit('SUBMIT_JOB_BG f··x');
    const worker = await server.worker('CAN_DO f');
    await grab(worker);
    worker.send(`WORK_FAIL ${handle}`, 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
    expect(await server.dead()).toEqual([]);
    expect(await server.status('f')).toBe('f\t0\t0\t1\n');
  });
});

describe('nestjs-gearman dead', () => {
  let server: DurableJobServer;
  let at: string[];

  /** Makes dead letters, one for each. */
  async function bury(name: string, ...workloads: string[]): Promise<string[]> {
    const worker = await server.worker(`CAN_DO ${name}`);
    const handles: string[] = [];
    for (const workload of workloads) {
      const handle = await server.submit(`SUBMIT_JOB_BG ${name}··${workload}`);
      await grab(worker);
      worker.send(`WORK_EXCEPTION ${handle}·${workload}`);
      handles.push(handle);
    }
    worker.destroy();
    await until('they are dead', async () => (await server.dead()).some(({ handle }) => handle === handles.at(-1)));
    return handles;
  }

  beforeAll(async () => {
    server = await DurableJobServer.start('--policy', '*:retries=0');
    at = ['--server', server.address];
  });

  it('lists them aligned, without control characters, and as JSON with every byte', async () => {
    const [handle] = await bury('list-me', 'two\n\x1b[31mlines');
    const { stdout } = await command(['dead', ...at, '--function', 'list-me']);
    const [titles, line] = stdout.split('\n');
    expect(titles).toMatch(/^HANDLE +FUNCTION +RETRIES +LOST WORKERS +DIED +ERROR$/);
    expect(line).toMatch(new RegExp(`^${handle} +list-me +0 +0 +\\d{4}-[-\\d]+T[:.\\d]+Z +two \\[31mlines$`));
    const json = JSON.parse((await command(['dead', 'list', ...at, '--json', '-f', 'list-me'])).stdout) as unknown;
    expect(json).toMatchObject([{ handle, function: 'list-me', error: 'two\n\x1b[31mlines', server: server.address }]);
    expect((await command(['dead', ...at, '--function', 'nobody'])).stdout.split('\n')).toHaveLength(2);
  });

  it('purges by handle and by function, and says what it did', async () => {
    const handles = await bury('purge-me', '1', '2', '3');
    expect(await command(['dead', 'purge', handles[1]!, ...at])).toEqual({
      stdout: `purged ${handles[1]}\n`,
      stderr: '',
      exitCode: 0,
    });
    const again = await command(['dead', 'purge', handles[1]!, ...at]);
    expect([again.exitCode, again.stderr]).toEqual([
      1,
      `nestjs-gearman: not purged: ${handles[1]}; no such dead letter\n`,
    ]);
    const rest = await command(['dead', 'purge', '--function', 'purge-me', '--json', ...at]);
    expect(JSON.parse(rest.stdout)).toEqual([
      { handle: handles[0], server: server.address },
      { handle: handles[2], server: server.address },
    ]);
    expect((await server.dead()).filter((job) => job.function === 'purge-me')).toEqual([]);
  });

  it('replays all', async () => {
    await command(['dead', 'purge', '--all', ...at]);
    const handles = await bury('replay-me', ...Array.from({ length: 120 }, (_, index) => `${index}`));
    const { stdout } = await command(['dead', 'replay', '--all', ...at]);
    expect(stdout).toBe(handles.map((handle) => `replayed ${handle}\n`).join(''));
    expect(await server.status('replay-me')).toBe('replay-me\t120\t0\t0\n');
    expect(await server.dead()).toEqual([]);
  });

  it('says which job server has none, and why', async () => {
    const plain = await startJobServerCommand();
    const server = `127.0.0.1:${plain.port}`;
    for (const line of [['dead'], ['dead', 'purge', 'H:x:1'], ['dead', 'replay', '--all']]) {
      const { stderr, exitCode } = await command([...line, '--server', server]);
      expect([exitCode, stderr]).toEqual([
        1,
        expect.stringContaining(`${server} refused: NO_STORAGE: Dead letters need a job server with a storage`),
      ]);
    }
  });
});

describeWith('gearmand', 'gearmand, asked for what only ours has', () => {
  it('answers with an error that says so', async () => {
    const gearmand = await startGearmand();
    const server = `127.0.0.1:${gearmand.port}`;
    for (const line of [['dead'], ['dead', 'purge', 'H:x:1'], ['dead', 'replay', 'H:x:1']]) {
      const { stderr, exitCode } = await command([...line, '--server', server]);
      expect([exitCode, stderr]).toEqual([1, expect.stringContaining('only a nestjs-gearman job server has')]);
    }
    const { stderr, exitCode } = await command(['result', 'H:x:1', '--server', server]);
    expect([exitCode, stderr]).toEqual([
      1,
      expect.stringContaining('it keeps no results: a nestjs-gearman job server'),
    ]);
  });
});

describe('a kept result', () => {
  it('is fetched by handle, also after a crash; its state before that', async () => {
    const server = await DurableJobServer.start('--keep-results', '1h', '--policy', 'dies:retries=0');
    const client = new JobClient({ servers: server.address });
    atEnd(() => client.close());
    const job = await client.submitBackground({ function: 'f', workload: Buffer.from('x') });
    expect(await client.result(job)).toEqual({ state: 'waiting' });
    const worker = await server.worker('CAN_DO f', 'CAN_DO dies');
    await grab(worker);
    expect(await client.result(job)).toEqual({ state: 'running' });
    worker.send(`WORK_COMPLETE ${job.handle}·\x01·`);
    await until('it is complete', async () => (await client.result(job)).state === 'complete');
    expect(await client.result(job)).toEqual({ state: 'complete', bytes: Buffer.from([1, 0]) });
    // Whoever asks for the state alone is told what gearmand tells.
    expect(await client.status(job)).toMatchObject({ isKnown: false, isRunning: false });

    const failing = await client.submitBackground({ function: 'f', workload: Buffer.from('x') });
    await grab(worker);
    worker.send(`WORK_EXCEPTION ${failing.handle}·no such file`);
    const dying = await client.submitBackground({ function: 'dies', workload: Buffer.from('x') });
    await grab(worker);
    worker.send(`WORK_EXCEPTION ${dying.handle}·out of luck`);
    await server.untilDead();
    await server.submit('SUBMIT_JOB_BG g··x');
    await server.crash();

    await until('it is connected again', () => client.connectedServers.length === 1);
    expect(await client.result(job)).toEqual({ state: 'complete', bytes: Buffer.from([1, 0]) });
    expect(await client.result(failing)).toEqual({ state: 'failed', bytes: Buffer.from('no such file') });
    expect(await client.result(dying)).toEqual({ state: 'failed', bytes: Buffer.from('out of luck') });
    expect(await client.result({ ...job, handle: 'H:nobody:1' })).toEqual({ state: 'unknown' });

    const at = ['--server', server.address];
    expect(await command(['result', job.handle, ...at])).toEqual({ stdout: '\x01\0', stderr: '', exitCode: 0 });
    expect(await command(['result', dying.handle, ...at])).toEqual({
      stdout: '',
      stderr: `nestjs-gearman: ${dying.handle} failed: out of luck\n`,
      exitCode: 1,
    });
    expect((await command(['result', 'H:nobody:1', ...at])).stderr).toContain('nothing is known of H:nobody:1');
  });

  it('is refused by a job server without a storage', async () => {
    const { port } = await startJobServerCommand();
    const client = new JobClient({ servers: `127.0.0.1:${port}` });
    atEnd(() => client.close());
    const asked = client.result({ handle: 'H:x:1', server: client.servers[0]! });
    await expect(asked).rejects.toThrow(ServerError);
    await expect(asked).rejects.toThrow('it keeps no results');
  });
});
