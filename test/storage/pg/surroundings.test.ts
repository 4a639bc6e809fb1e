import { afterEach, beforeAll, expect, it } from '@jest/globals';
import { PgStorage, type PgStorageOptions } from '../../../lib/job-server/storage/index.js';
import { atEnd } from '../../support/cleanup.js';
import { ownPostgres, setStandby, UNHURRIED } from '../../support/databases.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { add, addAll, newJob, RecordingListener } from '../recorded-storage.js';
import { describeSharing } from '../sharing.contract.js';

/** What whoever runs a database may have set for all who come: nothing of it is to change what becomes of jobs. */
const DEFAULTS: readonly (readonly [name: string, value: string])[] = [
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
  ['synchronous_commit', 'off'],
  ['lock_timeout', '1'],
  ['idle_in_transaction_session_timeout', '100'],
  ['client_min_messages', 'error'],
  ['search_path', 'nowhere'],
  ['bytea_output', 'escape'],
  ['standard_conforming_strings', 'off'],
  ['DateStyle', 'German'],
  ['IntervalStyle', 'sql_standard'],
  ['TimeZone', 'Asia/Kathmandu'],
  ['quote_all_identifiers', 'on'],
];

describeWith('postgres', 'in a PostgreSQL that others have set up for something else,', () => {
  const database = ownPostgres();
  let schemas = 0;

  beforeAll(async () => {
    await database.sql("CREATE DATABASE odd TEMPLATE template0 ENCODING LATIN1 LC_COLLATE 'C' LC_CTYPE 'C'");
    for (const [name, value] of DEFAULTS) await database.sql(`ALTER DATABASE odd SET ${name} = '${value}'`);
  });

  afterEach(() => setStandby(database, ''));

  const storageIn = (schema: number, options: Partial<PgStorageOptions> = {}): PgStorage => {
    const url = `postgresql://gear@127.0.0.1:${database.port}/odd`;
    return new PgStorage({ url, schema: `s${schema}`, ...UNHURRIED, ...options });
  };

  const open = async (
    options: Partial<PgStorageOptions> = {},
  ): Promise<{ storage: PgStorage; listener: RecordingListener; name: string; schema: string }> => {
    const schema = ++schemas;
    const name = `odd-${schema}`;
    const [storage, listener] = [storageIn(schema, { name, ...options }), new RecordingListener()];
    // A busy machine may take longer for it than a statement may.
    await until('it is open', () =>
      storage.open(listener).then(
        () => true,
        () => false,
      ),
    );
    atEnd(() => storage.close().catch(() => undefined));
    return { storage, listener, name: `nestjs-gearman ${name}`, schema: `s${schema}` };
  };

  describeSharing('PgStorage', async () => {
    const schema = ++schemas;
    return {
      one: storageIn(schema, { name: 'one', address: '127.0.0.1:4730' }),
      two: storageIn(schema, { name: 'two', address: '127.0.0.1:4731' }),
      stall: async () => {
        const dead = `UPDATE s${schema}.owner SET dead = true, died = now() WHERE name = 'one'`;
        const back = `UPDATE s${schema}.job SET owner = 0 WHERE owner IN (SELECT id FROM s${schema}.owner WHERE dead)`;
        await database.sql(`${dead}; ${back}`, 'odd');
      },
      dispose: async () => undefined,
    };
  });

  it('a storage waits for the standby, and knows when a wait was given up', async () => {
    const { storage, name } = await open();
    await addAll(storage, newJob());
    await setStandby(database, 'nobody');
    const waiting = async (): Promise<string[]> => {
      const asked = `SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND application_name = '${name}'`;
      return (await database.sql(asked)).split('\n').filter(Boolean);
    };
    let isTold = false;
    const stored = add(storage, newJob(), false).stored.then(() => (isTold = true));
    let first: string[] = [];
    await until('it waits', async () => (first = await waiting()).length > 0);
    await database.sql(`SELECT pg_cancel_backend(${first[0]})`);
    await until('it waits anew', async () => (await waiting()).some((pid) => !first.includes(pid)));
    expect(isTold).toBe(false);
    await setStandby(database, '');
    await stored;
  });

  it('a storage that gives up statements which wait for a lock leaves no process behind for each', async () => {
    const { storage, listener, name, schema } = await open({ queryTimeout: 1_000, patience: 600_000 });
    await addAll(storage, newJob());
    const locking = database.sql(`LOCK TABLE ${schema}.job; SELECT pg_sleep(3600)`, 'odd').catch(() => undefined);
    const locker = `SELECT pid FROM pg_stat_activity WHERE query LIKE 'LOCK TABLE%' AND wait_event = 'PgSleep'`;
    await until('it is locked', async () => (await database.sql(locker)) !== '');
    const { stored } = add(storage, newJob(), false);
    const tries = new Set<string>();
    const processes = async (): Promise<number> => {
      const asked = `SELECT pid, query_start, wait_event_type FROM pg_stat_activity WHERE application_name = '${name}'`;
      const rows = (await database.sql(asked)).split('\n').filter(Boolean);
      for (const row of rows.filter((told) => told.endsWith('|Lock'))) tries.add(row);
      return rows.length;
    };
    // Four connections, and a predecessor of each that has not ended yet.
    await until('many have waited, and are gone', async () => (await processes()) <= 8 && tries.size > 8);
    expect(listener.troubles.filter(Boolean).at(-1)).toMatchObject({ code: 'GEARMAN_STORAGE_UNREACHABLE' });
    await database.sql(`SELECT pg_terminate_backend(pid) FROM (${locker}) locker`);
    await locking;
    await stored;
    expect(await database.sql(`SELECT count(*) FROM ${schema}.job`, 'odd')).toBe('2\n');
  });

  it('a storage hears what is told, whatever else is', async () => {
    const { storage, listener, schema } = await open();
    await addAll(storage, newJob());
    for (const told of [
      '',
      'ready',
      'ready 0 1 7',
      'ready 0 x -1 back',
      'ready 0 1 1e9',
      'cancel 0',
      'set',
      '\t\n\n',
      'x'.repeat(7_999),
    ]) {
      await database.sql(`SELECT pg_notify('${schema}_jobs', '${told}')`, 'odd');
    }
    await database.sql(
      `INSERT INTO ${schema}.setting VALUES ('a', '1'); SELECT pg_notify('${schema}_jobs', 'set 0')`,
      'odd',
    );
    await until('it has heard that', () => storage.settings().get('a') === '1');
    expect(listener.troubles).toEqual([]);
  });
});
