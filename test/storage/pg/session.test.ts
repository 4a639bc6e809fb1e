import { expect, it } from '@jest/globals';
import { PgStorage } from '../../../lib/job-server/storage/index.js';
import { atEnd } from '../../support/cleanup.js';
import { ownPostgres, UNHURRIED } from '../../support/databases.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { addAll, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

describeWith('postgres', 'the session of a job server in PostgreSQL', () => {
  const database = ownPostgres();
  let schemas = 0;

  /** One whose silence nobody would notice while a test runs. */
  const open = async (name: string, listener = new RecordingListener()): Promise<PgStorage> => {
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    const storage = new PgStorage({ url, schema: `s${schemas}`, name, leaseTime: 600_000, ...UNHURRIED });
    await storage.open(listener);
    atEnd(() => storage.close().catch(() => undefined));
    return storage;
  };

  it('takes over what one of the same name had, at once, and nothing else', async () => {
    schemas++;
    const [former, other] = [await open('jobs-1'), await open('jobs-2')];
    const [taken, left, waiting] = (await addAll(former, newJob(), newJob(), newJob())) as [string, string, string];
    expect(handlesOf(await former.lease('reverse', 1, 1, NOW))).toEqual([taken]);
    expect(handlesOf(await other.lease('reverse', 1, 1, NOW))).toEqual([left]);
    const next = await open('jobs-1');
    expect(handlesOf(await next.lease('reverse', 1, 9, NOW))).toEqual([taken, waiting]);
    // It knows better than to end what another one has by now.
    former.done(taken);
    await former.flush();
    expect(await next.findByHandle(taken)).toMatchObject({ state: 'leased' });
    next.done(taken);
    next.release(waiting);
    other.done(left);
    await Promise.all([next.flush(), other.flush()]);
    for (const storage of [next, other]) {
      await until('one is counted', () => storage.count('reverse').total[1] === 1);
      expect(storage.count('reverse').waiting).toEqual([0, 1, 0]);
    }
    expect(await database.sql(`SELECT sum(total), sum(waiting) FROM s${schemas}.tally`)).toBe('1|1\n');
  });

  it('shares no number with another one where the database has lost its last moments, nor do their functions', async () => {
    const schema = `s${++schemas}`;
    const address = { url: `postgresql://gear@127.0.0.1:${database.port}/queues`, schema, ...UNHURRIED };
    const begun = async (name: string, leaseTime: number): Promise<PgStorage> => {
      const storage = new PgStorage({ ...address, name, leaseTime });
      await storage.open(new RecordingListener());
      atEnd(() => storage.close().catch(() => undefined));
      return storage;
    };
    const one = await begun('one', 5_000);
    await addAll(one, newJob({ function: 'f' }));
    // As a standby that took over, or a backup: what came last is not there, and numbers begin anew from where it stood.
    await database.sql(`
      DELETE FROM ${schema}.job; DELETE FROM ${schema}.tally; DELETE FROM ${schema}.function; DELETE FROM ${schema}.owner;
      ALTER TABLE ${schema}.function ALTER id RESTART; ALTER TABLE ${schema}.owner ALTER id RESTART;
      SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'nestjs-gearman one'`);
    const two = await begun('two', 600_000);
    const [ofTwo] = await addAll(two, newJob({ function: 'g' }));
    const [ofOne] = await addAll(one, newJob({ function: 'f' }));
    await until('both have a number', async () => {
      return (await database.sql(`SELECT count(DISTINCT id) FROM ${schema}.owner WHERE NOT dead`)) === '2\n';
    });
    expect(handlesOf(await two.lease('g', 1, 9, NOW))).toEqual([ofTwo]);
    await until('the function is known again', async () => {
      return handlesOf(await two.lease('f', 1, 9, NOW)).join() === ofOne;
    });
  });

  it('is begun anew where its row was deleted, and what it had leased waits', async () => {
    schemas++;
    const listener = new RecordingListener();
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    const storage = new PgStorage({ url, schema: `s${schemas}`, name: 'gone', leaseTime: 20_000, ...UNHURRIED });
    await storage.open(listener);
    atEnd(() => storage.close().catch(() => undefined));
    const other = await open('other');
    const [handle] = await addAll(storage, newJob());
    expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual([handle]);
    // With its first sign of life it looks for what nobody known has; that comes again after two minutes.
    await until('it has shown that it is alive', async () => {
      return (await database.sql(`SELECT beat > 0 FROM s${schemas}.owner WHERE name = 'gone'`)) === 't\n';
    });
    await database.sql(`DELETE FROM s${schemas}.owner WHERE name = 'gone'`);
    await until('it is told what it lost', () => listener.lostHandles.join() === handle);
    await until('the other one can lease it', async () => {
      return handlesOf(await other.lease('reverse', 1, 9, NOW)).join() === handle;
    });
  });

  it('is told what the time is in the database', async () => {
    schemas++;
    const told: [date: number, within: number][] = [];
    const listener = Object.assign(new RecordingListener(), {
      clock: (date: number, within: number) => told.push([date, within]),
    });
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    const storage = new PgStorage({ url, schema: `s${schemas}`, leaseTime: 500, ...UNHURRIED });
    await storage.open(listener);
    atEnd(() => storage.close().catch(() => undefined));
    const before = Date.now();
    await until('it is told', () => told.length > 0);
    const [date, within] = told[0]!;
    expect(within).toBeGreaterThanOrEqual(0);
    // This machine's clock: it was read on either side of that.
    expect(date).toBeGreaterThanOrEqual(before - within - 60_000);
    expect(date).toBeLessThanOrEqual(Date.now() + 60_000);
  });
});
