import { afterEach, describe, expect, it } from '@jest/globals';
import { PgStorage, type PgStorageOptions } from '../../lib/job-server/storage/index.js';
import { CuttingProxy, type Cut } from '../support/cutting-proxy.js';
import { ownPostgres, setStandby, UNHURRIED } from '../support/databases.js';
import { describeWith } from '../support/peers.js';
import { until } from '../support/until.js';
import { add, addAll, allOf, handlesOf, newJob, NOW, RecordingListener } from './recorded-storage.js';

const PACK_COLUMNS =
  'seq, base, function, priority, owner, present, prefix, numbers, accepted, delays, ends, workloads';

/** What a storage in PostgreSQL promises whose connections are cut, and that has lone jobs in rows, or in packs from so many on. */
export function describeFaults(name: string, packFrom: number): void {
  describeWith('postgres', `a storage in PostgreSQL whose connections are cut, ${name}`, () => faults(packFrom));
}

function faults(packFrom: number): void {
  const isPacked = packFrom === 1;
  /** Where lone jobs are. */
  const table = isPacked ? 'pack' : 'job';
  const called = (handle: string): string =>
    isPacked ? `prefix || convert_to(first::text, 'UTF8') = '${handle}'` : `handle = '${handle}'`;
  const database = ownPostgres();
  let proxy: CuttingProxy;
  let storage: PgStorage;
  let direct: PgStorage;
  let listener: RecordingListener;
  let directListener: RecordingListener;
  let schemas = 0;

  /** One through the proxy, and one beside it: neither hurries unless a test has it so. */
  const open = async (options: Partial<PgStorageOptions> = {}): Promise<void> => {
    proxy = await CuttingProxy.to(database.port);
    const at = (port: number): string => `postgresql://gear@127.0.0.1:${port}/queues`;
    const { leaseTime } = options;
    const common = { ...UNHURRIED, schema: `f${++schemas}`, patience: 60_000, leaseTime: leaseTime ?? 90_000 };
    storage = new PgStorage({ ...common, name: 'cut', ...options, url: at(proxy.port) }, packFrom);
    direct = new PgStorage({ ...common, url: at(database.port) }, packFrom);
    listener = new RecordingListener();
    await storage.open(listener);
    directListener = new RecordingListener();
    await direct.open(directListener);
  };

  afterEach(async () => {
    await storage.close().catch(() => undefined);
    await direct.close().catch(() => undefined);
  });

  const all = async (): Promise<string[]> => handlesOf(await allOf(direct.iterate())).sort();

  it.each<Cut>(['before the statement', 'before the answer'])('writes jobs once when it is cut %s', async (cut) => {
    await open();
    await addAll(storage, newJob());
    const before = await all();
    const jobs = [newJob({ workload: 'first' }), newJob({ unique: 'u' }), newJob(), newJob({ priority: 2 }), newJob()];
    const wasCut = proxy.cutAt('first', cut);
    const additions = jobs.map((job) => add(storage, job, false).stored);
    await wasCut;
    expect(await Promise.all(additions)).toEqual(jobs.map(() => undefined));
    expect(await all()).toEqual([...before, ...handlesOf(jobs)].sort());
    expect(direct.isShared).toBe(true);
  });

  it('gives up a connection that hangs, and writes its jobs once', async () => {
    await open({ patience: 1_500, queryTimeout: 3_000 });
    const job = newJob({ workload: 'silent' });
    const wasCut = proxy.cutAt('silent', 'into silence');
    const { stored } = add(storage, { ...job }, false);
    await wasCut;
    // Longer than one statement may take, shorter than anybody would wait for ever.
    await stored.catch((error: unknown) => expect(error).toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' }));
    await until('it writes again', () => listener.troubles.at(-1) === undefined);
    expect((await all()).length).toBeLessThanOrEqual(1);
  });

  it('gives what is long the time that a slow network takes for it', async () => {
    await open({ patience: 2_000, queryTimeout: 500 });
    proxy.slow(8_000);
    // A second, and more.
    const job = newJob({ workload: new Uint8Array(8 * 1024 * 1024) });
    expect(await add(storage, job, false).stored).toBeUndefined();
    proxy.slow(Infinity);
    expect(await all()).toEqual([job.handle]);
  });

  it.each<Cut>(['before the statement', 'before the answer'])('ends a job once when it is cut %s', async (cut) => {
    await open();
    const [first, second] = (await addAll(storage, newJob(), newJob())) as [string, string];
    await storage.lease('reverse', 1, 2, NOW);
    const wasCut = proxy.cutAt(isPacked ? '\0donePacked\0' : first, cut);
    storage.done(first);
    await wasCut;
    await until('it is gone', async () => (await all()).join() === second);
    await until('it is counted', () => direct.count('reverse').total[1] === 1);
  });

  it.each(['\0lease\0', '\0leaseOne\0'])('gives back a lease (%j) whose answer it did not hear', async (statement) => {
    await open();
    const [handle] = (await addAll(storage, newJob())) as [string];
    const wasCut = proxy.cutAt(statement, 'before the answer');
    const leasing = statement.includes('One') ? storage.leaseOne(handle) : storage.lease('reverse', 1, 1, NOW);
    await expect(leasing).rejects.toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' });
    await wasCut;
    const given: string[] = [];
    await until('it can be leased', async () => {
      given.push(...handlesOf(await direct.lease('reverse', 1, 1, NOW)));
      return given.length > 0;
    });
    expect(given).toEqual([handle]);
    expect(listener.lostHandles).toEqual([]);
  });

  it('gives back a lease that was made after it had been given up', async () => {
    await open({ leaseTime: 2_000 });
    const [handle] = (await addAll(storage, newJob())) as [string];
    await until('both have looked', () => direct.count('reverse').waiting[1] === 1);
    // As a backend does that was stopped, and whose client has gone.
    const schema = `f${schemas}`;
    await database.sql(
      `UPDATE ${schema}.${table} SET owner = (SELECT id FROM ${schema}.owner WHERE name = 'cut') WHERE ${called(handle)}`,
    );
    await until('it can be leased', async () => {
      return handlesOf(await direct.lease('reverse', 1, 1, NOW)).includes(handle);
    });
  });

  it.each([
    ['one that has left', "(SELECT id FROM owner WHERE name = 'former')"],
    ['nobody known', '1000000'],
  ])('gives back what is leased to %s', async (_, owner) => {
    await open({ leaseTime: 2_000 });
    const schema = `f${schemas}`;
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    const former = new PgStorage({ url, schema, name: 'former' }, packFrom);
    await former.open(new RecordingListener());
    const [handle] = (await addAll(former, newJob())) as [string];
    await former.close();
    // As a lease does that the former owner had given up, and that a slow database makes now.
    await database.sql(`SET search_path = ${schema}; UPDATE ${table} SET owner = ${owner} WHERE ${called(handle)}`);
    await until('it can be leased', async () => {
      return handlesOf(await storage.lease('reverse', 1, 1, NOW)).includes(handle);
    });
  });

  it('writes a job whenever it is told after the one before was written', async () => {
    await open();
    for (let turns = 0; turns < 12; turns++) {
      await add(storage, newJob(), false).stored;
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      await add(storage, newJob(), false).stored;
    }
    expect(await all()).toHaveLength(24);
  });

  it('answers a question while submissions never cease', async () => {
    await open();
    let isOver = false;
    const submit = async (): Promise<void> => {
      while (!isOver) await add(storage, newJob(), false).stored;
    };
    const submitting = Promise.all([submit(), submit(), submit()]);
    const job = newJob();
    await add(storage, job, false).stored;
    expect(await storage.findByHandle(job.handle)).toMatchObject({ state: 'waiting' });
    isOver = true;
    await submitting;
  });

  it('is not disturbed by what the database warns of', async () => {
    await open();
    const schema = `f${schemas}`;
    await database.sql(`
      CREATE FUNCTION ${schema}.warn() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE WARNING 'the disk is nearly full'; RETURN NULL; END $$;
      CREATE TRIGGER warn AFTER INSERT ON ${schema}.job EXECUTE FUNCTION ${schema}.warn()`);
    const job = newJob({ unique: 'u' });
    expect(await add(storage, job, false).stored).toBeUndefined();
    expect(listener.troubles).toEqual([]);
  });

  describe('where a synchronous standby has gone', () => {
    const waitingForStandby = async (): Promise<string[]> => {
      const asked = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query LIKE '%f${schemas}.%'`;
      return (await database.sql(asked)).split('\n').filter((pid) => pid !== '');
    };

    afterEach(() => setStandby(database, ''));

    it('tells nobody that a job is stored because the wait for it was cancelled', async () => {
      await open();
      await addAll(storage, newJob());
      await setStandby(database, 'nobody');
      let isTold = false;
      const { stored } = add(storage, newJob(), false);
      stored.then(
        () => (isTold = true),
        () => undefined,
      );
      let first: string[] = [];
      await until('it waits', async () => (first = await waitingForStandby()).length > 0);
      await database.sql(`SELECT pg_cancel_backend(${first[0]})`);
      await until('it waits anew', async () => (await waitingForStandby()).some((pid) => !first.includes(pid)));
      expect(isTold).toBe(false);
      await setStandby(database, '');
      await until('it is told', () => isTold);
    });

    it('waits for it also where commits wait for nothing by default', async () => {
      await database.sql('ALTER ROLE gear SET synchronous_commit = off');
      try {
        await open();
      } finally {
        await database.sql('ALTER ROLE gear RESET synchronous_commit');
      }
      await addAll(storage, newJob());
      await setStandby(database, 'nobody');
      const { stored } = add(storage, newJob(), false);
      await until('it waits', async () => (await waitingForStandby()).length > 0);
      await setStandby(database, '');
      expect(await stored).toBeUndefined();
    });

    it('lives and leases on; what it refused does not appear later, also when nobody submits anything more', async () => {
      await open({ patience: 6_000, leaseTime: 5_000, queryTimeout: 3_000 });
      const unreachable = { code: 'GEARMAN_STORAGE_UNREACHABLE' };
      const [leased, waiting] = (await addAll(storage, newJob(), newJob())) as [string, string];
      expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([leased]);
      await setStandby(database, 'nobody');
      await expect(add(storage, newJob(), false).stored).rejects.toMatchObject(unreachable);
      expect(storage.isFenced).toBe(false);
      // Longer than the others wait for one that says nothing.
      await expect(add(storage, newJob(), false).stored).rejects.toMatchObject(unreachable);
      expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([waiting]);
      expect(listener.troubles.filter((error) => error === undefined)).toEqual([]);
      await setStandby(database, '');
      await until('it writes again', () => listener.troubles.at(-1) === undefined);
      expect(await all()).toEqual([leased, waiting].sort());
      expect(listener.lostHandles).toEqual([]);
    });
  });

  it('is fenced before another one has its jobs, and goes on when it reaches the database again', async () => {
    await open({ leaseTime: 6_000 });
    const [handle] = (await addAll(storage, newJob())) as [string];
    expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([handle]);
    await storage.flush();
    await until('the other one sees that, and it is alive', () => {
      const { total, waiting } = direct.count('reverse');
      return total[1] === 1 && waiting[1] === 0 && !storage.isFenced;
    });
    const events: string[] = [];
    listener.fenced = (isFenced) => events.push(isFenced ? 'fenced' : 'alive');
    // It is also told of what it heard late, when there is nothing any more.
    directListener.ready = () => direct.count('reverse').waiting[1] === 1 && events.push('can be leased');
    proxy.down();
    await until('its jobs can be leased', () => events.includes('can be leased'));
    expect(events).toEqual(['fenced', 'can be leased']);
    expect(storage.isFenced).toBe(true);
    proxy.up();
    await until('it is alive', () => events.at(-1) === 'alive');
    expect(storage.isFenced).toBe(false);
    await until('it is told what it lost', () => listener.lostHandles.includes(handle));
  });

  it('is fenced while its connections hang', async () => {
    await open({ leaseTime: 2_000 });
    proxy.hang();
    await until('it is fenced', () => storage.isFenced && listener.fences.at(-1) === true);
    proxy.down();
    proxy.up();
    await until('it goes on', () => !storage.isFenced && listener.fences.at(-1) === false);
  });

  it('refuses submissions when the database is away for longer than its patience; none of them appears later', async () => {
    await open({ patience: 1_500 });
    const [kept] = await addAll(storage, newJob());
    const doubtful = newJob({ workload: 'doubtful' });
    const wasCut = proxy.cutAt('doubtful', 'before the answer').then(() => proxy.down());
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

  it('takes out what it refused, also where a slow database writes it later', async () => {
    await open({ patience: 1_500 });
    const [refused, told] = [newJob({ workload: 'refused' }), newJob()];
    const wasCut = proxy.cutAt('refused', 'before the answer').then(() => proxy.down());
    const additions = [refused, told].map((job) => add(storage, job, false).stored);
    for (const stored of await Promise.allSettled(additions)) expect(stored).toMatchObject({ status: 'rejected' });
    await wasCut;
    proxy.up();
    await taken();
    // A busy database may have written late what was cut off, which is then taken out.
    const [kept] = await until('what was refused is gone', async () => {
      const left = await all();
      return left.length === 1 && (left as [string]);
    });
    await database.sql(isPacked ? latePacks(kept, refused.handle) : lateRows(kept, refused.handle, told.handle));
    expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual([kept]);
    const rest = isPacked ? [kept] : [kept, told.handle].sort();
    await until('it is gone', async () => (await all()).join() === rest.join());
    if (isPacked) return;
    await until('the other one can be leased', async () => {
      return handlesOf(await storage.lease('reverse', 1, 9, NOW)).join() === told.handle;
    });
  });

  /** Jobs like another one: one is refused, and one was since told to somebody else. */
  const lateRows = (like: string, refused: string, told: string): string => {
    const columns = 'seq, at, function, owner, attempts, losses, priority, reducer, workload';
    return `INSERT INTO f${schemas}.job (handle, wanted, ${columns})
      SELECT h.handle::bytea, h.handle = '${told}', ${columns.replaceAll(/\w+/g, 'j.$&')}
      FROM f${schemas}.job j, (VALUES ('${refused}'), ('${told}')) h (handle) WHERE j.handle = '${like}'`;
  };

  /** A job like another one, in a pack of its own. */
  const latePacks = (like: string, refused: string): string => {
    const number = refused.split(':')[2]!;
    return `INSERT INTO f${schemas}.pack (maker, number, first, last, ${PACK_COLUMNS})
      SELECT maker, number + 1000000, ${number}, ${number}, ${PACK_COLUMNS} FROM f${schemas}.pack WHERE ${called(like)}`;
  };

  it('ends a job of which it does not know whether it was written', async () => {
    await open();
    const job = newJob();
    const wasCut = proxy.cutAt(job.handle, 'before the answer');
    const ended = new Promise<void>((resolve) => {
      listener.trouble = () => resolve(storage.done(job.handle));
    });
    const { stored } = add(storage, job, 'always');
    await Promise.all([wasCut, ended, stored]);
    // As long as its session lives, nobody else could find out that it is over.
    await until('it is gone', async () => (await all()).length === 0);
    expect(handlesOf(await direct.lease('reverse', 1, 1, NOW))).toEqual([]);
  });

  it('waits for a database that comes back soon', async () => {
    await open();
    proxy.down();
    const { stored } = add(storage, newJob(), false);
    await until('it is told', () => listener.troubles.length > 0);
    proxy.up();
    expect(await stored).toBeUndefined();
    expect(await all()).toHaveLength(1);
  });

  it('takes nothing back that another job server has told somebody', async () => {
    await open({ patience: 1_500 });
    const job = newJob({ unique: 'u' });
    const wasCut = proxy.cutAt(job.handle, 'before the answer').then(() => proxy.down());
    const refused = add(storage, job, false).stored.catch((error: unknown) => error);
    await wasCut;
    // The cut comes when the answer would: a busy database may write only after that.
    await until('it is written', async () => (await all()).length === 1);
    expect(await add(direct, newJob({ unique: 'u' }), false).stored).toMatchObject({ handle: job.handle });
    expect(await refused).toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' });
    proxy.up();
    await taken();
    expect(await all()).toContain(job.handle);
  });

  it('takes nothing back that was accepted before, under the same handle', async () => {
    await open({ patience: 1_500 });
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
    await open();
    const [ended, leased] = (await addAll(storage, newJob(), newJob())) as [string, string];
    expect(handlesOf(await storage.lease('reverse', 1, 2, NOW))).toEqual([ended, leased]);
    const schema = `f${schemas}`;
    await database.sql(`CREATE TABLE ${schema}.before AS SELECT * FROM ${schema}.${table}`);
    storage.done(ended);
    await storage.flush();
    proxy.down();
    // As if neither the end nor the other lease had come to the disk.
    await database.sql(
      isPacked
        ? `UPDATE ${schema}.pack SET present = 3, owner = 0`
        : `INSERT INTO ${schema}.job SELECT * FROM ${schema}.before WHERE handle = '${ended}';
           UPDATE ${schema}.job SET owner = 0 WHERE handle = '${leased}'`,
    );
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

  /** A job is taken again, after what was to be taken back has been. */
  const taken = (): Promise<unknown> =>
    until('a job is taken', () =>
      add(storage, newJob(), false).stored.then(
        () => true,
        () => false,
      ),
    );
}
