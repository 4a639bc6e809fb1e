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
});
