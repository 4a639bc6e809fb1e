import { spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { requireBuild } from '../support/built.js';
import { outcomeOf, runCommand, spawnCommand, startJobServerCommand } from '../support/command.js';
import { startMariadb, startPostgres } from '../support/databases.js';
import type { Daemon } from '../support/daemon.js';
import { freePort } from '../support/free-port.js';
import { C_GEARMAND, startGearmand } from '../support/gearmand.js';
import { FILLED, fillAndStop } from '../support/gearmand-queue.js';
import { PATIENCE } from '../support/patience.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { mustSucceed } from '../support/run.js';
import { contentOf, jobsIn } from '../support/stored-jobs.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

requireBuild();

describeWith('gearmand', 'a command line', () => {
  it.each([
    [['foo'], 1],
    [['--log'], 1],
    [['--verbose=BAD'], 1],
    [['--config-file'], 1],
    [['-v'], 1],
    [['-vvv'], 1],
    [['--check-args', '--threads=x'], 1],
    [['--check-args', '-p', '1', '-p', '2'], 1],
    [['--check-args', '-f', '10'], 0],
    [['--check-args', '--file-descriptors=10'], 0],
    [['--check-args', '--ssl'], 0],
    [['--check-args', '--verbose=DEBUG', '-j', '6', '-t4', '-w10', '-R', '--syslog', '--coredump'], 0],
    [['--check-args', '-q', 'LibSQLite3', '--libsqlite3-db=/x/queue.db', '--store-queue-on-shutdown'], 0],
    // What can only be seen at the start.
    [['-f', '10', '-l', 'stderr', '-p', '0', '-L', '127.0.0.1'], 1],
    [['-q', 'nosuch', '-l', 'stderr', '-p', '0', '-L', '127.0.0.1'], 1],
  ])('%j ends as gearmand does, with %d', async (args, code) => {
    expect(spawnSync(C_GEARMAND, args, { timeout: PATIENCE }).status).toBe(code);
    expect(await runCommand(['job-server', ...args])).toMatchObject({ code, stdout: '' });
  });

  it('without what it needs is told at the start', async () => {
    const start = (...args: string[]) => runCommand(['job-server', '-L', '127.0.0.1', '-p', '0', ...args]);
    expect((await start('-f', '10')).stderr).toContain('--file-descriptors 10: too few');
    expect(await start('--ssl')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('TLS needs --ssl-certificate'),
    });
  });
});

/** Ends so many jobs as a worker of f, and answers what they were. */
async function workOff(server: { port: number }, count: number): Promise<string[]> {
  const worker = await RawPeer.connect(server);
  worker.send('CAN_DO f', 'GRAB_JOB');
  const done: string[] = [];
  while (done.length < count) {
    const answer = await worker.next();
    const [, handle, workload] = /^JOB_ASSIGN ([^·]*)·f·(.*)$/s.exec(answer) ?? [];
    if (answer === 'NO_JOB') worker.send('PRE_SLEEP');
    else if (answer === 'NOOP') worker.send('GRAB_JOB');
    else worker.send(`WORK_COMPLETE ${handle}·`, 'GRAB_JOB');
    if (workload !== undefined) done.push(workload);
  }
  await worker.untilEcho();
  worker.end();
  return done;
}

/** Waits until a job server has said something: what it logs may come after it listens. */
function says(server: Daemon, words: string): Promise<unknown> {
  return until(`it says: ${words}`, () => server.output().includes(words));
}

/** What of the jobs of gearmand's queue may run now, in order; the rest is of another function or time. */
const WORKLOADS = ['h', "·\x01'\\\xff", 'no unique', 'its own key', ''];
const REST = FILLED.filter(([, unique]) => unique === 'later' || unique === '\xc3\xbc');

describeWith(['gearmand', 'sqlite3'], 'a service of gearmand with a queue in SQLite', () => {
  it('starts ours as it is, which has its jobs once', async () => {
    const file = join(tempDir(), 'queue.db');
    const options = ['-q', 'libsqlite3', `--libsqlite3-db=${file}`, '--store-queue-on-shutdown'];
    await fillAndStop(await startGearmand(options));
    const before = statSync(file).mtimeMs;

    const ours = await startJobServerCommand(options);
    await says(ours, `moved in from ${file}, table gearman_queue: 7 read, 7 added`);
    await says(ours, '--store-queue-on-shutdown has no meaning here');
    expect(await workOff(ours, 5)).toEqual(WORKLOADS);
    const client = await RawPeer.connect(ours);
    client.send('SUBMIT_JOB_BG f·new·of ours');
    await client.next();
    client.end();
    expect(await ours.stop()).toBe(0);
    expect(statSync(file).mtimeMs).toBe(before);

    const again = await startJobServerCommand(options);
    await says(again, `the 7 jobs of ${file}, table gearman_queue were moved in at `);
    expect(await workOff(again, 1)).toEqual(['of ours']);
    expect(await again.stop()).toBe(0);
    const left = (await jobsIn(`${file}.jobs`)).map(contentOf);
    expect(left).toEqual(REST);
  });

  it('takes another table and folder, and begins where there is nothing yet', async () => {
    const [file, folder] = [join(tempDir(), 'queue.db'), join(tempDir(), 'jobs')];
    const options = [
      '-q',
      'libsqlite3',
      `--libsqlite3-db=${file}`,
      '--libsqlite3-table=backlog',
      '--queue-path',
      folder,
    ];
    const empty = await startJobServerCommand(options);
    await says(empty, `there is no ${file}, table backlog: nothing to move in`);
    expect(await empty.stop()).toBe(0);
    await mustSucceed('sqlite3', [file, 'CREATE TABLE other (x)']);
    await fillAndStop(await startGearmand(options.slice(0, 4)));
    const ours = await startJobServerCommand(options);
    expect(await workOff(ours, 5)).toEqual(WORKLOADS);
    expect(await ours.stop()).toBe(0);
  });

  it('goes on after it was killed in the middle, and takes no row twice', async () => {
    const ROWS = 40_000;
    const file = join(tempDir(), 'queue.db');
    const options = ['-q', 'libsqlite3', `--libsqlite3-db=${file}`];
    await fillAndStop(await startGearmand(options));
    await mustSucceed('sqlite3', [
      file,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
        INSERT INTO gearman_queue SELECT 'job ' || i, 'many', 1, 'workload ' || i, 0 FROM n`,
    ]);
    const folder = `${file}.jobs`;
    const port = await freePort();
    const killed = spawnCommand(['job-server', '-L', '127.0.0.1', '-p', `${port}`, ...options]);
    const size = (): number => statSync(join(folder, '0000000001-1.log'), { throwIfNoEntry: false })?.size ?? 0;
    await until('some are in', () => size() > 1_000_000);
    killed.kill('SIGKILL');
    expect((await outcomeOf(killed)).code).toBeNull();
    const first = (await jobsIn(folder)).length;
    expect(first).toBeGreaterThan(FILLED.length);
    expect(first).toBeLessThan(ROWS + FILLED.length);

    const ours = await startJobServerCommand(options);
    const rest = ROWS + FILLED.length - first;
    await says(ours, `${ROWS + FILLED.length} read, ${rest} added, ${first} known from an interrupted`);
    expect(await ours.stop()).toBe(0);
    const jobs = (await jobsIn(folder)).filter((job) => job.function === 'many');
    expect(jobs.map(({ workload }) => Buffer.from(workload).toString())).toEqual(
      Array.from({ length: ROWS }, (_, index) => `workload ${index + 1}`),
    );
  }, 180_000);
});

describeWith(['gearmand', 'mariadb'], 'a service of gearmand with a queue in MySQL', () => {
  it('starts ours as it is but for a folder, which has its jobs once', async () => {
    const { port, kill } = await startMariadb();
    const place = ['--mysql-host=127.0.0.1', `--mysql-port=${port}`, '--mysql-db=queues', '--mysql-user=gear'];
    const options = ['-q', 'MySQL', ...place, '--mysql-password=secret'];
    const folder = join(tempDir(), 'jobs');
    const wrong = await runCommand(['job-server', '-p', '0', '-q', 'MySQL', ...place, '--queue-path', tempDir()]);
    expect(wrong).toMatchObject({ code: 1, stderr: expect.stringContaining('Access denied') });
    const empty = await startJobServerCommand([...options, '--queue-path', join(tempDir(), 'other')]);
    await says(empty, '0 read, 0 added');
    expect(await empty.stop()).toBe(0);

    await fillAndStop(await startGearmand(options));
    const ours = await startJobServerCommand([...options, '--queue-path', folder]);
    await says(ours, `moved in from mysql://127.0.0.1:${port}/queues, table gearman_queue: 7 read, 7 added`);
    expect(ours.output()).not.toContain('secret');
    expect(await workOff(ours, 5)).toEqual(WORKLOADS);
    expect(await ours.stop()).toBe(0);
    // Nobody needs the database any more.
    await kill();
    const again = await startJobServerCommand([...options, '--queue-path', folder]);
    await says(again, 'the 7 jobs of mysql://127.0.0.1');
    expect(await again.stop()).toBe(0);
    expect((await jobsIn(folder)).map(contentOf)).toEqual(REST);
  }, 180_000);
});

describeWith(['gearmand', 'postgres'], 'a service of gearmand with a queue in PostgreSQL', () => {
  it('starts ours as it is but for a folder, which has its jobs once', async () => {
    const { port, kill } = await startPostgres();
    const conninfo = `host=127.0.0.1 port=${port} user=gear dbname=queues`;
    const options = ['-q', 'Postgres', `--libpq-conninfo=${conninfo}`];
    await fillAndStop(await startGearmand(options));
    const ours = await startJobServerCommand([...options, '--queue-path', join(tempDir(), 'jobs')]);
    await says(ours, `moved in from postgres://127.0.0.1:${port}/queues, table queue: 7 read, 7 added`);
    expect(await workOff(ours, 5)).toEqual(WORKLOADS);
    expect(await ours.stop()).toBe(0);
    await kill();
    const away = await runCommand(['job-server', '-p', '0', '-L', '127.0.0.1', ...options, '--queue-path', tempDir()]);
    expect(away).toMatchObject({ code: 1, stderr: expect.stringContaining('see whether the database is up') });
  }, 180_000);
});

describe('a folder that cannot be made', () => {
  it('is told with the option that names another', async () => {
    const file = join(tempDir(), 'queue.db');
    writeFileSync(`${file}.jobs`, 'a file');
    const args = ['-q', 'libsqlite3', `--libsqlite3-db=${file}`];
    const { code, stderr } = await runCommand(['job-server', '-p', '0', '-L', '127.0.0.1', ...args]);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--queue-path DIR names another folder'),
    });
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});
