import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PgStorage } from '../../lib/job-server/storage/index.js';
import { CuttingProxy, type Cut } from '../support/cutting-proxy.js';
import { postgresPrograms, startPostgres, type DatabaseServer } from '../support/databases.js';
import { until } from '../support/until.js';
import { add, addAll, allOf, handlesOf, newJob, NOW, RecordingListener } from './recorded-storage.js';

(postgresPrograms() ? describe : describe.skip)('a storage in PostgreSQL whose connections are cut', () => {
  let database: DatabaseServer;
  let proxy: CuttingProxy;
  let storage: PgStorage;
  let direct: PgStorage;
  let listener: RecordingListener;
  let schemas = 0;

  beforeAll(async () => {
    database = await startPostgres();
  }, 120_000);

  afterAll(async () => {
    await database.kill();
  });

  beforeEach(async () => {
    proxy = await CuttingProxy.to(database.port);
    const schema = `f${++schemas}`;
    const at = (port: number): string => `postgresql://gear@127.0.0.1:${port}/queues`;
    storage = new PgStorage({ url: at(proxy.port), schema, patience: 1_500 });
    direct = new PgStorage({ url: at(database.port), schema });
    listener = new RecordingListener();
    await storage.open(listener);
    await direct.open(new RecordingListener());
  });

  afterEach(async () => {
    await storage.close().catch(() => undefined);
    await direct.close();
  });

  const all = async (): Promise<string[]> => handlesOf(await allOf(direct.iterate())).sort();

  it.each<Cut>(['before the statement', 'before the answer'])('writes jobs once when it is cut %s', async (cut) => {
    await addAll(storage, newJob());
    const before = await all();
    const jobs = [newJob(), newJob({ unique: 'u' }), newJob()];
    const wasCut = proxy.cutAt(jobs[0]!.handle, cut);
    const additions = jobs.map((job) => add(storage, job, false).stored);
    await wasCut;
    expect(await Promise.all(additions)).toEqual([undefined, undefined, undefined]);
    expect(await all()).toEqual([...before, ...handlesOf(jobs)].sort());
    expect(direct.isShared).toBe(true);
  });

  it('gives up a connection that hangs, and writes its jobs once', async () => {
    const job = newJob();
    const wasCut = proxy.cutAt(job.handle, 'into silence');
    const { stored } = add(storage, { ...job }, false);
    await wasCut;
    // Longer than one statement may take, shorter than anybody would wait for ever.
    await stored.catch((error: unknown) => expect(error).toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' }));
    await until('it writes again', () => listener.troubles.at(-1) === undefined);
    expect((await all()).length).toBeLessThanOrEqual(1);
  });

  it.each<Cut>(['before the statement', 'before the answer'])('ends a job once when it is cut %s', async (cut) => {
    const [first, second] = (await addAll(storage, newJob(), newJob())) as [string, string];
    await storage.lease('reverse', 1, 1, NOW);
    const wasCut = proxy.cutAt(first, cut);
    storage.done(first);
    await wasCut;
    await until('it is gone', async () => (await all()).join() === second);
    await until('it is counted', () => direct.count('reverse').total[1] === 1);
  });

  it('refuses submissions when the database is away for longer than its patience; none of them appears later', async () => {
    const [kept] = await addAll(storage, newJob());
    const doubtful = newJob();
    const wasCut = proxy.cutAt(doubtful.handle, 'before the answer').then(() => proxy.down());
    const unreachable = { code: 'GEARMAN_STORAGE_UNREACHABLE' };
    await expect(add(storage, doubtful, false).stored).rejects.toMatchObject(unreachable);
    await wasCut;
    expect(listener.troubles[0]).toMatchObject(unreachable);
    await expect(add(storage, newJob(), false).stored).rejects.toMatchObject(unreachable);
    proxy.up();
    await until('it writes again', () => listener.troubles.at(-1) === undefined);
    const after = newJob();
    await until('a job is taken', () =>
      add(storage, after, false).stored.then(
        () => true,
        () => false,
      ),
    );
    expect(await all()).toEqual([kept, after.handle].sort());
  });

  it('waits for a database that comes back soon', async () => {
    proxy.down();
    const { stored } = add(storage, newJob(), false);
    await until('it is told', () => listener.troubles.length > 0);
    proxy.up();
    expect(await stored).toBeUndefined();
    expect(await all()).toHaveLength(1);
  });

  it('takes nothing back that another job server has told somebody', async () => {
    const job = newJob({ unique: 'u' });
    const wasCut = proxy.cutAt(job.handle, 'before the answer').then(() => proxy.down());
    const refused = add(storage, job, false).stored.catch((error: unknown) => error);
    await wasCut;
    expect(await add(direct, newJob({ unique: 'u' }), false).stored).toMatchObject({ handle: job.handle });
    expect(await refused).toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' });
    proxy.up();
    await taken();
    expect(await all()).toContain(job.handle);
  });

  it('takes nothing back that was accepted before, under the same handle', async () => {
    const job = newJob({ unique: 'u' });
    expect(await add(storage, job, false).stored).toBeUndefined();
    const wasCut = proxy.cutAt(job.handle, 'before the answer').then(() => proxy.down());
    const refused = add(storage, job, 'always').stored.catch((error: unknown) => error);
    await wasCut;
    expect(await refused).toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' });
    proxy.up();
    await taken();
    expect(await all()).toContain(job.handle);
  });

  it('sees after a crash of the database which of its leases and ends are not there any more', async () => {
    const [ended, leased] = (await addAll(storage, newJob(), newJob())) as [string, string];
    expect(handlesOf(await storage.lease('reverse', 1, 2, NOW))).toEqual([ended, leased]);
    const schema = `f${schemas}`;
    await database.sql(`CREATE TABLE ${schema}.before AS SELECT * FROM ${schema}.job`);
    storage.done(ended);
    await storage.flush();
    proxy.down();
    // As if neither the end nor the other lease had come to the disk.
    await database.sql(`INSERT INTO ${schema}.job SELECT * FROM ${schema}.before WHERE handle = '${ended}'`);
    await database.sql(`UPDATE ${schema}.job SET owner = 0 WHERE handle = '${leased}'`);
    proxy.up();
    await until('it is told of the lease', () => listener.lostHandles.length > 0);
    expect(listener.lostHandles).toEqual([leased]);
    const given: string[] = [];
    await until('both can be leased', async () => {
      given.push(...handlesOf(await direct.lease('reverse', 1, 2, NOW)));
      return given.length === 2;
    });
    expect(given.sort()).toEqual([ended, leased].sort());
  });

  it('brings tables of an older version up to date, and refuses those of a newer one', async () => {
    const schema = `f${schemas}`;
    await storage.close();
    await database.sql(`ALTER TABLE ${schema}.job DROP COLUMN wanted`);
    await database.sql(`UPDATE ${schema}.version SET version = 1`);
    await storage.open(listener);
    expect(await add(storage, newJob(), false).stored).toBeUndefined();
    expect(await database.sql(`SELECT version FROM ${schema}.version`)).toBe('2\n');
    await storage.close();
    await database.sql(`UPDATE ${schema}.version SET version = 99`);
    const refused = { code: 'GEARMAN_STORAGE_VERSION', message: expect.stringContaining('version 99') };
    await expect(storage.open(listener)).rejects.toMatchObject(refused);
  });

  /** A job is taken again, after what was to be taken back has been. */
  const taken = (): Promise<unknown> =>
    until('a job is taken', () =>
      add(storage, newJob(), false).stored.then(
        () => true,
        () => false,
      ),
    );
});
