import { beforeAll, describe, expect, it } from '@jest/globals';
import { JobServer } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { atEnd } from '../../support/cleanup.js';
import { freePort } from '../../support/free-port.js';
import { RawPeer } from '../../support/raw-peer.js';
import { command, RunningCommand } from '../../support/terminal.js';
import { until } from '../../support/until.js';

describe('the commands for people', () => {
  let at: string[];
  let jobServer: JobServer;

  beforeAll(async () => {
    jobServer = new JobServer({ listeners: [{ port: 0 }] });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    at = ['--server', jobServer.addresses[0]!];
  });

  /** Works until the test file is over. */
  async function work(name: string, ...line: string[]): Promise<RunningCommand> {
    const running = new RunningCommand(['work', ...at, '-f', name, ...line]);
    atEnd(async () => {
      running.interrupt();
      await running.result;
    });
    await until(`a worker of ${name}`, () => coreOf(jobServer).engine.functions.find(name)?.workers.size === 1);
    return running;
  }

  it('run the main job: work with a shell command, submit with an argument and with stdin', async () => {
    await work('reverse', '--', 'rev');
    expect(await command(['submit', ...at, 'reverse', 'Hello world!'])).toEqual({
      stdout: '!dlrow olleH',
      stderr: '',
      exitCode: 0,
    });
    expect((await command(['submit', ...at, 'reverse'], 'from stdin')).stdout).toBe('nidts morf');
  });

  it('copy the workload where no command is given, and end after --count jobs', async () => {
    const running = await work('copy', '--count', '1');
    expect((await command(['submit', ...at, 'copy', 'as it is'])).stdout).toBe('as it is');
    expect((await running.result).exitCode).toBe(0);
  });

  it('fail a job whose command fails: exit code 1, its stderr at the worker', async () => {
    const running = await work('fail', '--', 'sh', '-c', 'echo the reason >&2; exit 3');
    const { stdout, stderr, exitCode } = await command(['submit', ...at, 'fail', 'x']);
    expect([stdout, exitCode]).toEqual(['', 1]);
    expect(stderr).toMatch(/^nestjs-gearman: .*fail/);
    running.interrupt();
    expect((await running.result).stderr).toMatch(/the reason\n[^]*sh ended with exit code 3/);
  });

  it('take the job server as gearman and gearadmin do: -h HOST -p PORT', async () => {
    const list = (...line: string[]) => command(['status', '--json', ...line]);
    const known = await list(...at);
    const port = `${jobServer.port}`;
    for (const line of [
      ['-h', '127.0.0.1', '-p', port],
      ['-p', port],
      ['--host=127.0.0.1', '--port', port],
      ['-hlocalhost', `-p${port}`],
    ]) {
      const { stdout, exitCode } = await list(...line);
      const names = (json: string): string[] => (JSON.parse(json) as { function: string }[]).map((row) => row.function);
      expect([names(stdout), exitCode]).toEqual([names(known.stdout), 0]);
    }
    expect(await list('-h', '127.0.0.1', ...at)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('--server and -h HOST -p PORT: choose one'),
    });
    expect((await list('-h', 'a:1')).stderr).toContain("-h: must be a host alone, not 'a:1'");
    expect((await list('-h')).stderr).toContain('-h needs a value: -h HOST; --help shows the options');
    expect((await list('-h', '::1', '-p', '1', '--connect-timeout', '200ms')).stderr).toContain('[::1]:1');
  });

  it('list functions aligned, and as JSON', async () => {
    const client = await RawPeer.connect({ port: jobServer.port! });
    client.send(
      'SUBMIT_JOB_HIGH_BG a-long-name··x',
      'SUBMIT_JOB_BG a-long-name··y',
      `SUBMIT_JOB_EPOCH a-long-name··9999999999·z`,
    );
    await client.nextOnes(3);
    const { stdout } = await command(['status', ...at]);
    const [titles, ...lines] = stdout.split('\n');
    expect(titles).toMatch(/^FUNCTION {5}JOBS {2}RUNNING {2}HIGH {2}NORMAL {2}LOW {2}DELAYED {2}WORKERS {2}PAUSED$/);
    expect(lines).toContain('a-long-name     3        0     1       1    0        1        0  no');
    const json = JSON.parse((await command(['status', ...at, '--json'])).stdout) as unknown[];
    expect(json).toContainEqual(
      expect.objectContaining({ function: 'a-long-name', total: 3, high: 1, normal: 1, delayed: 1 }),
    );
  });

  it('list workers that can do something, and jobs; cancel a job', async () => {
    await work('named', '--id', 'my-worker', '--jobs', '2');
    expect((await command(['workers', ...at])).stdout).toMatch(/127\.0\.0\.1 +my-worker +named\n/);
    const { stdout } = await command(['submit', ...at, '--background', 'nobody', 'x']);
    const handle = stdout.trim();
    expect((await command(['jobs', ...at])).stdout).toMatch(new RegExp(`${handle} +0 +no +yes\n`));
    expect(await command(['cancel', ...at, handle])).toEqual({
      stdout: `cancelled ${handle}\n`,
      stderr: '',
      exitCode: 0,
    });
    const again = await command(['cancel', ...at, handle]);
    expect([again.exitCode, again.stderr]).toEqual([1, `nestjs-gearman: no such job: ${handle}; it may have ended\n`]);
  });

  it('give a job up that has no result in time', async () => {
    const { stderr, exitCode } = await command(['submit', ...at, '--timeout', '10ms', 'unserved', 'x']);
    expect([exitCode, stderr]).toEqual([1, 'nestjs-gearman: no result within --timeout; the job is given up\n']);
    await until('the job is gone', () => coreOf(jobServer).engine.functions.find('unserved')?.total === 0);
  });

  it('print again while --watch is on, until Ctrl-C', async () => {
    const running = new RunningCommand(['status', ...at, '--watch', '10ms']);
    await until('two lists', () => running.stdout.split('FUNCTION').length > 2);
    running.interrupt();
    expect((await running.result).exitCode).toBe(0);
  });

  it('tell parts of a result as they come, and progress when asked', async () => {
    const worker = await RawPeer.connect({ port: jobServer.port! });
    worker.send('CAN_DO parts', 'PRE_SLEEP');
    const running = new RunningCommand(['submit', ...at, '--progress', 'parts', 'x']);
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    const handle = (await worker.next()).split(/[ ·]/)[1]!;
    worker.send(`WORK_DATA ${handle}·one `);
    await until('the first part', () => running.stdout === 'one ');
    worker.send(`WORK_STATUS ${handle}·1·2`, `WORK_COMPLETE ${handle}·two`);
    expect(await running.result).toEqual({ stdout: 'one two', stderr: '1 of 2\n', exitCode: 0 });
  });

  it('say which job server cannot be reached, without a stack trace', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    for (const line of [['status'], ['submit', 'f', 'x'], ['cancel', 'H:x:1'], ['work', '-f', 'f']]) {
      const { stderr, exitCode } = await command([...line, '--server', nobody, '--connect-timeout', '200ms']);
      expect([line[0], exitCode]).toEqual([line[0], 1]);
      expect(stderr).toContain(nobody);
      expect(stderr).not.toMatch(/\n +at /);
    }
  });

  it('list the job servers that answer when another does not', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const { stdout, stderr, exitCode } = await command(['status', ...at, '--server', nobody]);
    expect(stdout).toMatch(/^SERVER/);
    expect(stderr).toMatch(/1 of 2 job servers did not answer\n$/);
    expect(exitCode).toBe(1);
  });
});

describe('a command line that is not understood', () => {
  it.each([
    [['statsu'], 'there is no command statsu; did you mean status?'],
    [['status', '--jsno'], 'there is no option --jsno; did you mean --json?'],
    [['status', 'word'], 'status takes no words, only options: word'],
    [['submit'], "which function? nestjs-gearman submit reverse 'Hello world!'"],
    [['submit', 'f', 'two', 'words'], "one workload at a time; quote it: 'two words'"],
    [['submit', '--priority', 'urgent', 'f'], "--priority: must be high, normal or low, not 'urgent'"],
    [['submit', '--at', 'soon', 'f'], "--at: must be a time as 2026-12-24T18:00 or 2026-12-24T17:00Z, not 'soon'"],
    [['work'], 'which function? nestjs-gearman work -f reverse -- rev'],
    [['cancel'], 'which job? nestjs-gearman cancel HANDLE; `nestjs-gearman jobs` lists them'],
  ])('%j ends with exit code 2 and says what to do', async (line, message) => {
    expect(await command(line)).toEqual({ stdout: '', stderr: `nestjs-gearman: ${message}\n`, exitCode: 2 });
  });

  it('gets the list of commands with --help, and the page of a command', async () => {
    const overview = await command(['--help']);
    expect(overview.stdout).toMatch(/^nestjs-gearman COMMAND/);
    for (const name of ['status', 'workers', 'jobs', 'cancel', 'submit', 'work']) {
      expect(overview.stdout).toContain(`  ${name} `);
      expect((await command([name, '--help'])).stdout).toMatch(new RegExp(`^nestjs-gearman ${name} \\[OPTIONS\\]`));
    }
    expect((await command(['--version'])).stdout).toMatch(/^nestjs-gearman \d+\.\d+\.\d+\n$/);
  });
});
