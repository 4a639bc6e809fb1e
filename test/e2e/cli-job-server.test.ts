import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { atEnd } from '../support/cleanup.js';
import { COMMAND, outcomeOf, runCommand, spawnCommand, startJobServerCommand } from '../support/command.js';
import type { Daemon } from '../support/daemon.js';
import { accepts, freePort } from '../support/free-port.js';
import { describeWith } from '../support/peers.js';
import { CLOSED, RawPeer } from '../support/raw-peer.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

const jobServer = (...args: string[]) => runCommand(['job-server', ...args]);

/** A client that waits for a job which a worker runs, and the job's handle. */
async function withRunningJob(server: Daemon): Promise<{ client: RawPeer; worker: RawPeer; handle: string }> {
  const [client, worker] = [await RawPeer.connect(server), await RawPeer.connect(server)];
  worker.send('CAN_DO f');
  client.send('SUBMIT_JOB f··x');
  const handle = (await client.next()).split(' ')[1]!;
  await until('the worker runs it', async () => {
    worker.send('GRAB_JOB');
    return (await worker.next()).startsWith('JOB_ASSIGN');
  });
  return { client, worker, handle };
}

describe('nestjs-gearman job-server', () => {
  it('serves, tells its level, and ends with 0 at SIGTERM', async () => {
    const server = await startJobServerCommand(['--verbose=NOTICE']);
    const peer = await RawPeer.connect(server);
    peer.sendText('verbose\ngetpid\n');
    expect(await peer.nextOnes(2)).toEqual(['OK NOTICE\n', `OK ${server.pid}\n`]);
    expect(await server.stop()).toBe(0);
    expect(await peer.next()).toBe(CLOSED);
  });

  it('lets running jobs finish at SIGTERM and SIGINT, and takes no new ones', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = await startJobServerCommand();
      const { client, worker, handle } = await withRunningJob(server);
      process.kill(server.pid, signal);
      await until('it accepts no more', async () => !(await accepts(server.port)));
      client.send('SUBMIT_JOB f··late');
      expect(await client.next()).toMatch(/^ERROR SHUTTING_DOWN·/);
      worker.send(`WORK_COMPLETE ${handle}·done`);
      expect(await client.nextOnes(2)).toEqual([`WORK_COMPLETE ${handle}·done`, CLOSED]);
      expect(await server.stop()).toBe(0);
    }
  });

  it('ends although a job goes on, when its grace period is over', async () => {
    const server = await startJobServerCommand(['--grace-period', '50ms']);
    await withRunningJob(server);
    expect(await server.stop()).toBe(0);
    expect(server.output()).toContain('ending: 1 jobs are still running');
  });

  it('ends at once when it is told twice, and its exit code says so', async () => {
    const server = await startJobServerCommand();
    await withRunningJob(server);
    process.kill(server.pid, 'SIGTERM');
    await until('it has begun to end', () => server.output().includes('SIGTERM: ending'));
    expect(await server.stop()).toBe(143);
  });

  it('has all jobs done at SIGUSR1', async () => {
    const server = await startJobServerCommand();
    const { client, worker, handle } = await withRunningJob(server);
    client.send('SUBMIT_JOB_BG f··waiting');
    await client.next();
    process.kill(server.pid, 'SIGUSR1');
    await until('it accepts no more', async () => !(await accepts(server.port)));
    worker.send(`WORK_COMPLETE ${handle}·`, 'GRAB_JOB');
    const [, waiting] = (await worker.next()).split(/[ ·]/);
    expect(await accepts(server.port)).toBe(false);
    worker.send(`WORK_COMPLETE ${waiting}·`);
    expect(await worker.next()).toBe(CLOSED);
    await until('it has ended', () => server.output().includes('ended'));
    expect(await server.stop()).toBe(0);
  });

  it('ends by the admin word shutdown only where that is switched on', async () => {
    const [deaf, obedient] = [await startJobServerCommand(), await startJobServerCommand(['--shutdown-command'])];
    const [one, other] = [await RawPeer.connect(deaf), await RawPeer.connect(obedient)];
    for (const peer of [one, other]) peer.sendText('shutdown\n');
    expect(await one.next()).toMatch(/^ERR UNKNOWN_COMMAND/);
    expect(await other.nextOnes(2)).toEqual(['OK\r\n', CLOSED]);
    expect(await one.untilEcho()).toEqual([]);
  });

  it('has a pid file from the moment it listens until it ends', async () => {
    const path = join(tempDir(), 'gearmand.pid');
    const server = await startJobServerCommand(['--pid-file', path]);
    await until('the pid file is written', () => existsSync(path) && readFileSync(path, 'utf8'));
    expect(readFileSync(path, 'utf8')).toBe(`${server.pid}\n`);
    const second = await jobServer('-p', '0', '-L', '127.0.0.1', '--pid-file', path);
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toContain(`a job server is running already, process ${server.pid};`);
    await server.stop();
    expect(existsSync(path)).toBe(false);
  });

  it('goes on in the background with --daemon once it listens, or says why it could not', async () => {
    const directory = tempDir();
    const [pidFile, logFile] = [join(directory, 'pid'), join(directory, 'log')];
    const port = await freePort();
    const args = ['-d', '-p', `${port}`, '-L', '127.0.0.1'];
    const started = await jobServer(...args, '--pid-file', pidFile, '--log-file', logFile);
    expect(started).toEqual({ code: 0, stdout: '', stderr: '' });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    atEnd(() => void isAlive(pid, 'SIGKILL'));
    expect(await accepts(port)).toBe(true);

    const second = await jobServer(...args, '--log-file', 'none');
    expect(second).toMatchObject({ code: 1, stdout: '' });
    expect(second.stderr).toMatch(/^nestjs-gearman: cannot listen on 127\.0\.0\.1:\d+: another program listens there/);

    process.kill(pid, 'SIGTERM');
    await until('it has ended', () => !isAlive(pid));
    expect(existsSync(pidFile)).toBe(false);
    expect(readFileSync(logFile, 'utf8')).toMatch(/ended\n$/);
  });

  it('opens its log file again at SIGHUP', async () => {
    const path = join(tempDir(), 'log');
    const server = await startJobServerCommand(['--log-file', path, '-t', '4']);
    await until('it has logged', () => existsSync(path) && readFileSync(path, 'utf8').includes('--threads'));
    renameSync(path, `${path}.1`);
    process.kill(server.pid, 'SIGHUP');
    await until('there is a new log file', () => existsSync(path));
    await server.stop();
    expect(readFileSync(`${path}.1`, 'utf8')).toMatch(/--threads has no meaning here.*\n$/);
    expect(readFileSync(path, 'utf8')).toMatch(/SIGTERM: ending\n.*ended\n$/);
    expect(server.output()).toBe('');
  });

  it('logs to stderr when its log file cannot be opened, as gearmand does', async () => {
    const server = await startJobServerCommand(['--log-file', '/no/such/dir/log']);
    expect(server.output()).toMatch(/ERROR .* log file: ENOENT.*; logging to stderr/);
  });

  it('reads options from a config file', async () => {
    const port = await freePort();
    const path = join(tempDir(), 'gearmand.conf');
    writeFileSync(path, `--port=${port} --listen=127.0.0.1\n--verbose=DEBUG\n`);
    const child = spawnCommand(['job-server', '--config-file', path, '--verbose=ERROR']);
    await until('it listens', () => accepts(port));
    const peer = await RawPeer.connect({ port });
    peer.sendText('verbose\n');
    expect(await peer.next()).toBe('OK ERROR\n');
    child.kill();
    expect(await outcomeOf(child)).toMatchObject({ code: 0 });
  });

  it('keeps background jobs over a restart with --queue-type file', async () => {
    const args = ['-q', 'file', '--queue-path', join(tempDir(), 'queue')];
    const first = await startJobServerCommand(args);
    const client = await RawPeer.connect(first);
    client.send('SUBMIT_JOB_BG f··kept');
    expect(await client.next()).toMatch(/^JOB_CREATED/);
    expect(await first.stop()).toBe(0);

    const second = await startJobServerCommand(args);
    const worker = await RawPeer.connect(second);
    worker.send('CAN_DO f', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toMatch(/·f·kept$/);
  });

  // What is not there below /proc cannot be made, though the folder above is there.
  (existsSync('/proc/self') ? it : it.skip)(
    'does not start in a folder that cannot be made, and says why',
    async () => {
      for (const path of ['/proc/none', '/proc/none/jobs']) {
        expect(await jobServer('-p', '0', '-L', '127.0.0.1', '-q', 'file', '--queue-path', path)).toMatchObject({
          code: 1,
          stderr: expect.stringContaining(`(ENOENT: no such file or directory, mkdir '/proc/none') in ${path}: `),
        });
      }
    },
  );

  (process.getuid?.() === 0 ? it : it.skip)('runs as another user with --user (needs root)', async () => {
    const server = await startJobServerCommand(['-u', 'nobody']);
    const nobody = spawnSync('id', ['-u', 'nobody']).stdout.toString().trim();
    expect(readFileSync(`/proc/${server.pid}/status`, 'utf8')).toMatch(new RegExp(`^Uid:(\\s${nobody}){4}$`, 'm'));
  });

  it('is never held up by a log that nobody reads, and ends all the same', async () => {
    const port = await freePort();
    const child = spawnCommand(['job-server', '-p', `${port}`, '-L', '127.0.0.1']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('it listens', () => accepts(port));
    const peer = await RawPeer.connect({ port });
    // Each packet without its arguments is worth a line in the log: megabytes, where a pipe holds 64 KiB.
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 1_000; count++) peer.send('SUBMIT_JOB x');
      await peer.untilEcho();
    }
    child.kill();
    expect(await ended).toBe(0);
  });

  it('goes on when whoever reads its log is gone', async () => {
    const port = await freePort();
    const child = spawnCommand(['job-server', '-p', `${port}`, '-L', '127.0.0.1']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until('it listens', () => accepts(port));
    child.stderr!.destroy();
    const peer = await RawPeer.connect({ port });
    for (let round = 0; round < 3; round++) {
      // A packet without its arguments is worth a line in the log.
      peer.send('SUBMIT_JOB x');
      expect(await peer.untilEcho()).toHaveLength(1);
    }
    child.kill();
    expect(await ended).toBe(0);
  });

  it.each([
    [['--prot=1'], 1, 'there is no option --prot; did you mean --port?'],
    [['-q', 'redis'], 1, 'there is no queue type redis here'],
    [['--job-handle-prefix', 'a b'], 1, '--job-handle-prefix: must be a text of 1 to 32 bytes'],
    [['-q', 'postgres', '--pg-url', 'mysql://h/d'], 1, '--pg-url: must be an address as postgresql://'],
    [['-q', 'postgres', '--pg-url', 'postgresql://h/d', '--pg-lease-time', '1ms'], 1, '--pg-lease-time: must be'],
    [['--config-file', '/no/such'], 1, 'the config file cannot be read: ENOENT'],
    [['-L', '192.0.2.99'], 1, 'cannot listen on 192.0.2.99:4730: this machine has no such address'],
    [['-L', 'no-such-host.invalid'], 1, '--listen no-such-host.invalid: no such host name'],
    [['-u', 'no-such-user'], 1, '--user no-such-user: '],
    [['-f', '2000000000'], 1, '--file-descriptors 2000000000: no more than'],
    [
      ['--ssl', '--ssl-certificate=/no/c', '--ssl-key=/no/k'],
      1,
      "certificate cannot be read: ENOENT: no such file or directory, open '/no/c'",
    ],
    [
      ['-p', '0', '-L', '127.0.0.1', '-P', '/no/such/pid'],
      1,
      "pid file: ENOENT: no such file or directory, open '/no/such/pid'",
    ],
  ])('does not start with %j: code %d and a message, no stack trace', async (args, code, message) => {
    const outcome = await jobServer('-L', '127.0.0.1', ...args);
    expect(outcome.stderr).toContain(message);
    expect(outcome.stderr).not.toMatch(/\n\s+at /);
    expect(outcome).toMatchObject({ code, stdout: '' });
  });

  it('checks its options and ends with --check-args', async () => {
    expect(await jobServer('--check-args', '--listen=127.0.0.1')).toEqual({ code: 0, stdout: '', stderr: '' });
    const refused = await jobServer('--check-args', '--listen=127.0.0.1', '--job-handle-prefix', 'a b');
    expect(refused).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--job-handle-prefix: must be a text of'),
    });
  });
});

describe('nestjs-gearman', () => {
  it('tells how it is used, and its version', async () => {
    const [help, page, version, nothing] = await Promise.all([
      runCommand(['--help']),
      jobServer('--help'),
      runCommand(['--version']),
      runCommand([]),
    ]);
    expect(help).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('job-server') });
    expect(page).toMatchObject({ code: 0, stderr: '', stdout: expect.stringContaining('--job-retries') });
    expect(version.stdout).toMatch(/^nestjs-gearman \d+\.\d+\.\d+\n$/);
    expect(nothing).toMatchObject({ code: 0, stdout: help.stdout });
  });

  it('names the command that was probably meant', async () => {
    const { code, stderr } = await runCommand(['jobserver']);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: 'nestjs-gearman: there is no command jobserver; did you mean job-server?\n',
    });
  });

  it('is a program of its own', () => {
    expect(readFileSync(COMMAND, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});

describeWith('gearadmin', 'gearadmin', () => {
  it('talks to it', async () => {
    const { port } = await startJobServerCommand();
    const { stdout } = spawnSync('gearadmin', ['-p', `${port}`, '--server-verbose']);
    expect(stdout.toString()).toBe('INFO\n');
  });
});

function isAlive(pid: number, signal: NodeJS.Signals | 0 = 0): boolean {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}
