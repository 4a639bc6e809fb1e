import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { JobServer } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { atEnd } from '../../support/cleanup.js';
import { runCommand, startJobServerCommand } from '../../support/command.js';
import { describeWith } from '../../support/peers.js';
import { run } from '../../support/run.js';
import { command } from '../../support/terminal.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';

/** A crontab of these lines, and how to write it anew. */
function crontab(...lines: string[]): { path: string; write: (...others: string[]) => void } {
  const path = join(tempDir(), 'crontab');
  const write = (...others: string[]): void => writeFileSync(path, `${others.join('\n')}\n`);
  write(...lines);
  return { path, write };
}

async function startJobServer(): Promise<{ jobServer: JobServer; at: string[] }> {
  const schedules = { declared: { function: 'f', every: 3_600_000, isPaused: true } };
  const jobServer = new JobServer({ listeners: [{ port: 0 }], schedules });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return { jobServer, at: ['--server', jobServer.addresses[0]!] };
}

const ok = (stdout: string) => ({ stdout, stderr: '', exitCode: 0 });

describe('nestjs-gearman schedules', () => {
  it('puts, lists, runs, pauses, resumes and drops', async () => {
    const { jobServer, at } = await startJobServer();
    const json = '{"cron":"0 3 * * *","timeZone":"Europe/Berlin","function":"report","workload":"all of it"}';
    expect(await command(['schedules', 'put', 'nightly', json, ...at])).toEqual(ok('put nightly\n'));
    const { stdout } = await command(['schedules', ...at]);
    const [head, declared, nightly] = stdout.split('\n');
    expect(head).toMatch(/^ID +FUNCTION +WHEN +ZONE +SOURCE +LAST TICK +NEXT TICK +PROBLEM$/);
    expect(declared).toMatch(/^declared +f +every 3600 s +- +options +\S+Z +paused *$/);
    expect(nightly).toMatch(
      /^nightly +report +0 3 \* \* \* +Europe\/Berlin +put +\S+Z +\d{4}-\d\d-\d\dT0[12]:00:00Z *$/,
    );
    const ran = await command(['schedules', 'run', 'nightly', ...at]);
    const [, handle] = /^submitted (\S+) for nightly\n$/.exec(ran.stdout)!;
    expect(coreOf(jobServer).engine.find(handle!)).toMatchObject({
      isBackground: true,
      workload: Buffer.from('all of it'),
    });
    expect(await command(['schedules', 'pause', 'nightly', ...at])).toEqual(ok('paused nightly\n'));
    expect(jobServer.schedules.find('nightly')?.isPaused).toBe(true);
    expect(await command(['schedules', 'resume', 'nightly', 'declared', ...at])).toEqual(
      ok('resumed nightly\nresumed declared\n'),
    );
    const listed = JSON.parse((await command(['schedules', 'list', '--json', ...at])).stdout) as { id: string }[];
    expect(listed.map(({ id }) => id)).toEqual(['declared', 'nightly']);
    expect(await command(['schedules', 'drop', 'nightly', ...at])).toEqual(ok('dropped nightly\n'));
    expect(jobServer.schedules.size).toBe(1);
  });

  it('takes a schedule from a file', async () => {
    const { jobServer, at } = await startJobServer();
    const path = join(tempDir(), 'schedule.json');
    writeFileSync(path, '{ "every": 60000, "function": "f" }');
    expect(await command(['schedules', 'put', 'minutely', `@${path}`, ...at])).toMatchObject({ exitCode: 0 });
    expect(jobServer.schedules.find('minutely')?.options).toMatchObject({ every: 60_000 });
    const missing = await command(['schedules', 'put', 'x', '@/does/not/exist', ...at]);
    expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining('@/does/not/exist: ENOENT')]);
  });

  it('says what cannot be done, in words and with its exit code', async () => {
    const { at } = await startJobServer();
    const fails = async (code: number, text: string, ...line: string[]): Promise<void> => {
      const { stderr, exitCode } = await command(['schedules', ...line, ...at]);
      expect(stderr).toContain(text);
      expect(exitCode).toBe(code);
    };
    await fails(
      1,
      `schedules.x.missed: must be 'once', 'skip' or 'all', not 'maybe'`,
      'put',
      'x',
      '{"every":1000,"function":"f","missed":"maybe"}',
    );
    await fails(1, 'schedules.declared: is declared by options: change it there', 'drop', 'declared');
    await fails(1, 'no such schedule: none', 'run', 'none');
    await fails(2, 'which schedule?', 'pause');
    await fails(2, 'the schedule is not JSON', 'put', 'x', 'every minute');
    await fails(2, 'schedules is followed by list, put, drop, run, pause or resume, not by delete', 'delete', 'x');
  });
});

describe('job-server --crontab', () => {
  it('is checked, and tells the next three ticks of each line', async () => {
    const { path, write } = crontab('0 3 * * * report', '@every 30s poll ?id=fast');
    const check = () => runCommand(['job-server', '--check-args', '--crontab', path]);
    const { code, stdout } = await check();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^report: (\d{4}-\d\d-\d\dT03:00:00Z(, )?){3}$/m);
    expect(stdout).toMatch(/^fast: (\S+:[03]0Z(, )?){3}$/m);
    write('0 3 * * * report', '0 25 * * * late');
    expect(await check()).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`--crontab ${path}: schedules.late.cron`),
    });
    expect(await runCommand(['job-server', '--check-args', '--crontab', '/none'])).toMatchObject({ code: 1 });
  });

  it('fires its lines, and is read again at SIGHUP; one that is not understood changes nothing', async () => {
    const { path, write } = crontab('* * * * * * tick ?overlap=queue  now', '@daily gone');
    const server = await startJobServerCommand(['--crontab', path]);
    const at = ['--server', `127.0.0.1:${server.port}`];
    const ids = async (): Promise<string[]> => {
      const { stdout } = await runCommand(['schedules', '--json', ...at]);
      return (JSON.parse(stdout) as { id: string }[]).map(({ id }) => id);
    };
    expect(await ids()).toEqual(['gone', 'tick']);
    const worked = await runCommand(['work', ...at, '--count', '2', '-f', 'tick', '--', 'sh', '-c', 'cat >&2']);
    expect(worked).toMatchObject({ code: 0, stderr: expect.stringContaining('now') });
    write('@daily come');
    process.kill(server.pid, 'SIGHUP');
    await until('it is read', async () => (await ids()).join() === 'come');
    write('@daily come', '@never gone');
    process.kill(server.pid, 'SIGHUP');
    await until('it is told', () => server.output().includes('the schedules stay as they were'));
    expect(await ids()).toEqual(['come']);
  });
});

describeWith('php', 'a PHP worker of a schedule', () => {
  it('reads from the unique which tick it has', async () => {
    const { path } = crontab('* * * * * * php ?id=sekündlich&missed=all  the workload');
    const server = await startJobServerCommand(['--crontab', path]);
    const program = `
      $worker = new GearmanWorker();
      $worker->addOptions(GEARMAN_WORKER_GRAB_UNIQ);
      $worker->addServer('127.0.0.1', ${server.port});
      $worker->addFunction('php', function ($job) { echo $job->unique(), ' ', $job->workload(), "\\n"; });
      for ($count = 0; $count < 3; $count++) $worker->work();`;
    const before = Math.floor(Date.now() / 1_000);
    const { code, stdout } = await run('php', ['-r', program]);
    const after = Math.ceil(Date.now() / 1_000);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    const ticks = lines.map((line) => Number(/^sekündlich@(\d+) {2}the workload$/.exec(line)?.[1]));
    expect(ticks).toHaveLength(3);
    // A job that waited for the worker may have been fired before it came.
    for (const tick of ticks) expect(tick).toBeGreaterThanOrEqual(before - 60);
    for (const tick of ticks) expect(tick).toBeLessThanOrEqual(after);
    expect(new Set(ticks).size).toBe(3);
  });
});
