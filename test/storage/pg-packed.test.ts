import { expect, it } from '@jest/globals';
import { PgStorage } from '../../lib/job-server/storage/index.js';
import { statementsFor } from '../../lib/job-server/storage/postgres/pg-statements.js';
import { ownPostgres, UNHURRIED } from '../support/databases.js';
import { describeWith } from '../support/peers.js';
import { until } from '../support/until.js';
import { describeJobStorage } from './job-storage.contract.js';
import { addAll, handlesOf, newJob, NOW, RecordingListener } from './recorded-storage.js';
import { describeSharing } from './sharing.contract.js';

describeWith('postgres', 'in PostgreSQL, each job that can be in a pack', () => {
  const database = ownPostgres();
  let schemas = 0;

  const storageIn = (schema: number, name: string, address = ''): PgStorage => {
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    return new PgStorage({ url, schema: `s${schema}`, name, address, ...UNHURRIED }, 1);
  };

  const dispose = async (schema: number): Promise<void> => void (await database.sql(`DROP SCHEMA s${schema} CASCADE`));

  it('is in one, and the rest in rows', async () => {
    const schema = ++schemas;
    const storage = storageIn(schema, 'one');
    await storage.open(new RecordingListener());
    await addAll(storage, newJob(), newJob({ unique: 'u' }), newJob(), newJob(), newJob({ function: 'f' }));
    await addAll(storage, newJob());
    const count = `SELECT (SELECT string_agg(cardinality(numbers)::text, ',' ORDER BY base) FROM s${schema}.pack),
      (SELECT count(*) FROM s${schema}.job), (SELECT count(*) FROM s${schema}.jobs)`;
    expect(await database.sql(count)).toBe('1,2,1,1|1|6\n');
    await storage.close();
  });

  it('is leased also where another one that leases at that moment has its pack locked, and leaves some of it', async () => {
    const schema = ++schemas;
    const storage = storageIn(schema, 'one');
    await storage.open(new RecordingListener());
    const handles = await addAll(storage, newJob(), newJob(), newJob());
    const locking = database
      .sql(`BEGIN; SELECT 1 FROM s${schema}.pack FOR UPDATE; SELECT pg_sleep(3600)`)
      .catch(() => undefined);
    const locker = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'`;
    await until('it is locked', async () => (await database.sql(locker)) !== '');
    const leased = storage.lease('reverse', 1, 9, NOW);
    const waiting = `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'`;
    await until('who leases waits', async () => (await database.sql(waiting)) !== '');
    await database.sql(`SELECT pg_terminate_backend(pid) FROM (${locker}) locker`);
    expect(handlesOf(await leased)).toEqual(handles);
    await locking;
    await storage.close();
  });

  describeJobStorage('PgStorage', async () => {
    const schema = ++schemas;
    return { storage: storageIn(schema, 'only'), dispose: () => dispose(schema) };
  });

  describeSharing('PgStorage', async () => {
    const schema = ++schemas;
    const giveBack = statementsFor(`s${schema}`).giveBackPacks;
    return {
      one: storageIn(schema, 'one', '127.0.0.1:4730'),
      two: storageIn(schema, 'two', '127.0.0.1:4731'),
      // As another job server does to one whose beat it did not see.
      stall: async () => {
        await database.sql(`
          UPDATE s${schema}.owner SET dead = true, died = now() WHERE name = 'one';
          UPDATE s${schema}.job SET owner = 0 WHERE owner IN (SELECT id FROM s${schema}.owner WHERE dead);
          ${giveBack.replaceAll('$1::int[]', `ARRAY(SELECT id FROM s${schema}.owner WHERE dead)`)}`);
      },
      dispose: () => dispose(schema),
    };
  });
});
