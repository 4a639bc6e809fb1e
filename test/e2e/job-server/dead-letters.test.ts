import { beforeAll, describe, expect, it } from '@jest/globals';
import { JobClient, JobWorker, ServerError } from 'nestjs-gearman';
import { atEnd } from '../../support/cleanup.js';
import { startJobServerCommand } from '../../support/command.js';
import { CrashingJobServer, grab } from '../../support/crashing-job-server.js';
import { startGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';
import { command } from '../../support/terminal.js';
import { until } from '../../support/until.js';

describe('nestjs-gearman dead', () => {
  let server: CrashingJobServer;
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
    server = await CrashingJobServer.start('--policy', '*:retries=0');
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

  it('shows one: why it died, and how its workload begins', async () => {
    const worker = new JobWorker({ servers: server.address });
    atEnd(() => worker.close());
    worker.on('error', () => undefined);
    worker.register('mail', () => Promise.reject(new Error('SMTP 550\nmailbox unavailable')));
    await worker.start();
    const workload = `to: ü\n\x1b[31m${'x'.repeat(5_000)}`;
    const handle = await server.submit(`SUBMIT_JOB_HIGH_BG mail·u\n·${Buffer.from(workload).toString('latin1')}`);
    await until('it is dead', async () => (await server.dead()).some((job) => job.handle === handle));
    const { stdout } = await command(['dead', 'show', handle, '--preview', '10', ...at]);
    const [head, body] = stdout.split('\n\n');
    expect(head!.replace(/^died .*$/m, 'died')).toBe(
      [
        `handle        ${handle}`,
        'function      mail',
        'unique        u\\x{0a}',
        'priority      high',
        'retries       0',
        'lost workers  0',
        'died',
        'error         SMTP 550\\x{0a}mailbox unavailable',
        'workload      5012 bytes, of which the first 10',
      ].join('\n'),
    );
    expect(body).toBe('to: ü\\x{0a}\\x{1b}[3\n');
    const hex = (await command(['dead', 'show', handle, '--hex', '--preview', '18', ...at])).stdout.split('\n\n')[1];
    expect(hex).toBe(
      '0000  74 6f 3a 20 c3 bc 0a 1b 5b 33 31 6d 78 78 78 78  to: ....[31mxxxx\n' +
        '0010  78 78                                            xx\n',
    );
    const [json] = JSON.parse((await command(['dead', 'show', handle, '--json', ...at])).stdout) as object[];
    expect(json).toMatchObject({
      handle,
      priority: 'high',
      workloadBytes: 5012,
      error: 'SMTP 550\nmailbox unavailable',
    });
    expect(json).toMatchObject({ workload: Buffer.from(workload).subarray(0, 256).toString('base64') });
    const all = (await command(['dead', 'show', handle, '--preview', '4096', ...at])).stdout;
    expect(all.match(/x+(?=\n$)/)![0]).toHaveLength(4096 - 12);
    expect(await command(['dead', 'show', 'H:x:1', ...at])).toEqual({
      stdout: '',
      stderr: 'nestjs-gearman: no such dead letter: H:x:1\n',
      exitCode: 1,
    });
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
    for (const line of [['dead'], ['dead', 'show', 'H:x:1'], ['dead', 'purge', 'H:x:1'], ['dead', 'replay', '--all']]) {
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
    for (const line of [['dead'], ['dead', 'show', 'H:x:1'], ['dead', 'purge', 'H:x:1'], ['dead', 'replay', 'H:x:1']]) {
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
    const server = await CrashingJobServer.start('--keep-results', '1h', '--policy', 'dies:retries=0');
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
