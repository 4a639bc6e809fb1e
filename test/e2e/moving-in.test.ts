import { realpathSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { mysqlTable } from '../../lib/cli/moving/sources/mysql.js';
import { postgresTable } from '../../lib/cli/moving/sources/postgres.js';
import { sqliteTable } from '../../lib/cli/moving/sources/sqlite.js';
import { Failure } from '../../lib/cli/failure.js';
import { outcomeOf, runCommand, spawnCommand, startJobServerCommand } from '../support/command.js';
import { requireBuild } from '../support/built.js';
import { startMariadb, startPostgres } from '../support/databases.js';
import { startGearmand } from '../support/gearmand.js';
import { FILLED, fillAndStop } from '../support/gearmand-queue.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { mustSucceed } from '../support/run.js';
import { contentOf, jobsIn, workOff } from '../support/stored-jobs.js';
import { tempDir } from '../support/temp-dir.js';
import { until } from '../support/until.js';

requireBuild();

/** Runs an import to its end. */
const importFrom = (folder: string, ...from: string[]) =>
  runCommand(['import', '--from', ...from, '--queue-path', folder]);

/** What an import says that went well. */
function said(counts: { read: number; added?: number; known?: number; coalesced?: number }): object {
  const { read, added = 0, known = 0, coalesced = 0 } = counts;
  const stdout = `${read} read: ${added} imported, ${known} known from an earlier run, ${coalesced} joined to a waiting job of their unique, 0 left out\n`;
  return { code: 0, stderr: '', stdout };
}

const contentsOf = async (folder: string): Promise<unknown[]> => (await jobsIn(folder)).map(contentOf);

/** Reads what there is still to read, and answers how much it was. */
async function restOf(rows: AsyncIterator<unknown>): Promise<number> {
  let count = 0;
  while (!(await rows.next()).done) count++;
  return count;
}

describeWith(['gearmand', 'sqlite3'], 'nestjs-gearman import of a queue in SQLite', () => {
  /** A queue that C gearmand wrote, and where the jobs shall go. */
  async function filledQueue(...args: string[]): Promise<{ file: string; folder: string }> {
    const file = join(tempDir(), 'queue.db');
    await fillAndStop(await startGearmand(['-q', 'libsqlite3', `--libsqlite3-db=${file}`, ...args]));
    return { file, folder: join(tempDir(), 'jobs') };
  }

  it('takes every row as it is, leaves the queue alone, and takes none twice', async () => {
    const { file, folder } = await filledQueue();
    const before = statSync(file).mtimeMs;
    expect(await importFrom(folder, 'sqlite', file)).toEqual(said({ read: 7, added: 7 }));
    expect(await contentsOf(folder)).toEqual(FILLED);
    expect(await importFrom(folder, 'sqlite', file)).toEqual(said({ read: 7, known: 7 }));
    expect(await contentsOf(folder)).toEqual(FILLED);
    expect(statSync(file).mtimeMs).toBe(before);
  });

  it('gives a job server jobs that its workers can take', async () => {
    const { file, folder } = await filledQueue();
    await importFrom(folder, 'sqlite', file);
    const server = await startJobServerCommand(['-q', 'file', '--queue-path', folder]);
    const worker = await RawPeer.connect(server);
    worker.send('CAN_DO f', 'PRE_SLEEP');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB_UNIQ');
    expect(await worker.next()).toMatch(/^JOB_ASSIGN_UNIQ H:.*·f·high·h$/);
    expect((await importFrom(folder, 'sqlite', file)).stderr).toContain(`process ${server.pid} on`);
    expect(await server.stop()).toBe(0);
  });

  it('reads another table, and says so where there is none of that name', async () => {
    const { file, folder } = await filledQueue('--libsqlite3-table=backlog');
    expect(await importFrom(folder, 'sqlite', file)).toMatchObject({
      code: 1,
      stderr: `nestjs-gearman: ${file}: no such table: gearman_queue: name gearmand's table with --table\n`,
    });
    expect(await importFrom(folder, 'sqlite', file, '--table', 'backlog')).toEqual(said({ read: 7, added: 7 }));
  });

  it('takes the same rows again once it is told to forget them', async () => {
    const { file, folder } = await filledQueue();
    await importFrom(folder, 'sqlite', file);
    await workOff(folder, 9, 'f');
    const { stdout } = await importFrom(folder, 'sqlite', file, '--forget');
    expect(stdout).toBe(
      'forgot 7 jobs that were imported before\n' +
        '7 read: 3 imported, 0 known from an earlier run, 4 joined to a waiting job of their unique, 0 left out\n',
    );
    expect(await contentsOf(folder)).toHaveLength(7);
  });

  it('leaves out a row that cannot be a job, says which, and fails', async () => {
    const { file, folder } = await filledQueue();
    await mustSucceed('sqlite3', [file, "UPDATE gearman_queue SET priority = 7 WHERE unique_key = 'high'"]);
    expect(await importFrom(folder, 'sqlite', file)).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^7 read: 6 imported, .* 1 left out\n$/),
      stderr: expect.stringContaining('unique_key "high", function_name "f": its priority is 7, not 0, 1 or 2'),
    });
    expect(await contentsOf(folder)).toEqual(FILLED.slice(1));
  });

  it('refuses a file that gearmand is in the middle of writing', async () => {
    const { file, folder } = await filledQueue();
    writeFileSync(`${file}-journal`, 'not yet rolled back');
    const { code, stderr } = await importFrom(folder, 'sqlite', file);
    expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining('stop gearmand') });
    expect(await jobsIn(folder)).toEqual([]);
  });

  it('fails when the file changes while it is read', async () => {
    const { file } = await filledQueue();
    const rows = sqliteTable(file).rows()[Symbol.asyncIterator]();
    await rows.next();
    await mustSucceed('sqlite3', [file, "UPDATE gearman_queue SET data = 'other' WHERE unique_key = 'low'"]);
    await expect(restOf(rows)).rejects.toThrow(`${realpathSync(file)} changed while it was read: stop gearmand`);
  });

  it('goes on after it was killed, and takes no row twice, also not those that were done meanwhile', async () => {
    const ROWS = 25_000;
    const { file, folder } = await filledQueue();
    await mustSucceed('sqlite3', [
      file,
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${ROWS})
        INSERT INTO gearman_queue SELECT 'job ' || i, 'many', 1, 'workload ' || i, 0 FROM n`,
      // gearmand keeps one job without a unique a function.
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        INSERT INTO gearman_queue SELECT '', 'f' || i, 1, 'the same', 0 FROM n`,
    ]);
    const total = FILLED.length + ROWS + 100;
    const killed = spawnCommand(['import', '--from', 'sqlite', file, '--queue-path', folder]);
    const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    const areIn = (): boolean => sizeOf(join(folder, '0000000001-1.log')) > 300_000;
    await until('some are in', areIn);
    killed.kill('SIGKILL');
    expect((await outcomeOf(killed)).code).toBeNull();
    const first = (await jobsIn(folder)).length;
    expect(first).toBeGreaterThan(FILLED.length);
    expect(first).toBeLessThan(total);

    const done = [...(await workOff(folder, 1_000, 'many')), ...(await workOff(folder, 2, 'f'))];
    expect(done).toHaveLength(1_002);
    expect(await importFrom(folder, 'sqlite', file)).toEqual(said({ read: total, added: total - first, known: first }));
    const all = [...done, ...(await jobsIn(folder))];
    expect(all).toHaveLength(total);
    const many = all.filter((job) => job.function === 'many').map(({ workload }) => Buffer.from(workload).toString());
    expect(many).toEqual(Array.from({ length: ROWS }, (_, index) => `workload ${index + 1}`));
    expect(new Set(all.map((job) => job.handle)).size).toBe(total);
    expect(await importFrom(folder, 'sqlite', file)).toEqual(said({ read: total, known: total }));
  }, 180_000);
});

describeWith(['gearmand', 'mariadb'], 'nestjs-gearman import of a queue in MySQL', () => {
  it('takes every row as it is, and none twice', async () => {
    const { port, sql, kill } = await startMariadb();
    const place = ['--mysql-host=127.0.0.1', `--mysql-port=${port}`, '--mysql-db=queues'];
    await fillAndStop(await startGearmand(['-q', 'MySQL', ...place, '--mysql-user=gear', '--mysql-password=secret']));
    const folder = join(tempDir(), 'jobs');
    const url = `mysql://gear:secret@127.0.0.1:${port}/queues`;
    expect(await importFrom(folder, 'mysql', url)).toEqual(said({ read: 7, added: 7 }));
    expect(await contentsOf(folder)).toEqual(FILLED);
    const env = { MYSQL_PWD: 'secret' };
    const again = ['import', '--from', 'mysql', url.replace(':secret', ''), '--queue-path', folder];
    expect(await runCommand(again, { env })).toEqual(said({ read: 7, known: 7 }));

    expect(await importFrom(folder, 'mysql', url, '--table', 'none')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("name gearmand's table with --table"),
    });
    expect((await importFrom(folder, 'mysql', url.replace('secret', 'wrong'))).stderr).toMatch(/Access denied/);

    const rows = "SELECT CONCAT('many ', seq), 'many', 1, REPEAT('x', 100), 0 FROM seq_1_to_9000";
    await sql(`INSERT INTO gearman_queue ${rows}`);
    expect(await importFrom(folder, 'mysql', url)).toEqual(said({ read: 9_007, added: 9_000, known: 7 }));

    // More than fits into what lies between here and there.
    await sql(
      "CREATE TABLE big AS SELECT 'u' unique_key, 'f' function_name, 1 priority, REPEAT('x', 5000) data, 0 when_to_run FROM seq_1_to_20000",
    );
    const reading = mysqlTable(url, 'big').rows()[Symbol.asyncIterator]();
    await reading.next();
    await kill();
    await expect(restOf(reading)).rejects.toBeInstanceOf(Failure);
  }, 180_000);
});

describeWith(['gearmand', 'postgres'], 'nestjs-gearman import of a queue in PostgreSQL', () => {
  it('takes every row as it is, and none twice', async () => {
    const { port, sql, kill } = await startPostgres();
    const place = `host=127.0.0.1 port=${port} user=gear dbname=queues`;
    await fillAndStop(await startGearmand(['-q', 'Postgres', `--libpq-conninfo=${place}`]));
    const folder = join(tempDir(), 'jobs');
    const url = `postgres://gear@127.0.0.1:${port}/queues`;
    expect(await importFrom(folder, 'postgres', url)).toEqual(said({ read: 7, added: 7 }));
    expect(await contentsOf(folder)).toEqual(FILLED);
    expect(await importFrom(folder, 'postgres', url, '--table', 'public.queue')).toMatchObject({ code: 0 });
    expect(await importFrom(folder, 'postgres', url)).toEqual(said({ read: 7, known: 7 }));

    expect(await importFrom(folder, 'postgres', url, '--table', 'none')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("name gearmand's table with --table"),
    });

    await sql("INSERT INTO queue SELECT 'many ' || i, 'many', 1, 'x', 0 FROM generate_series(1, 9000) i");
    expect(await importFrom(folder, 'postgres', url)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^9007 read: 9000 imported, 7 known/),
    });

    const reading = postgresTable(url).rows()[Symbol.asyncIterator]();
    await reading.next();
    await kill();
    await expect(restOf(reading)).rejects.toBeInstanceOf(Failure);
  }, 180_000);
});
