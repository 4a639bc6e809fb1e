import { expect, it } from '@jest/globals';
import { PgStorage } from '../../../lib/job-server/storage/index.js';
import { atEnd } from '../../support/cleanup.js';
import { ownPostgres, UNHURRIED } from '../../support/databases.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { add, addAll, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

describeWith('postgres', 'the tables of a storage in PostgreSQL', () => {
  const database = ownPostgres();

  const storageIn = (schema: string, options: object = {}): PgStorage => {
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    const storage = new PgStorage({ url, schema, ...UNHURRIED, ...options });
    atEnd(() => storage.close().catch(() => undefined));
    return storage;
  };

  it('are brought up to date where they are older, and refused where they are newer', async () => {
    const storage = storageIn('older');
    await storage.open(new RecordingListener());
    await storage.close();
    // As version 1 had them.
    await database.sql(`SET search_path = older;
      DROP VIEW jobs;
      DROP TABLE pack;
      ALTER TABLE owner DROP COLUMN packs;
      ALTER TABLE job DROP COLUMN wanted, DROP COLUMN accepted;
      ALTER TABLE dead DROP COLUMN accepted;
      UPDATE version SET version = 1`);
    await storage.open(new RecordingListener());
    const job = newJob({ acceptedAt: NOW - 7 });
    expect(await add(storage, job, false).stored).toBeUndefined();
    expect(await storage.leaseOne(job.handle)).toMatchObject({ acceptedAt: NOW - 7 });
    await addAll(storage, ...Array.from({ length: 9 }, () => newJob({ acceptedAt: NOW })));
    expect(await database.sql('SELECT version, (SELECT count(*) FROM older.pack) FROM older.version')).toBe('4|1\n');
    await storage.close();
    await database.sql(`UPDATE older.version SET version = 99`);
    const refused = { code: 'GEARMAN_STORAGE_VERSION', message: expect.stringContaining('version 99') };
    await expect(storage.open(new RecordingListener())).rejects.toMatchObject(refused);
  });

  it('have jobs in rows alone while a job server goes on that knows no packs', async () => {
    const storage = storageIn('beside', { leaseTime: 1_000 });
    await storage.open(new RecordingListener());
    await storage.close();
    // As one of version 3 has joined, which shows that it is alive as long as it runs.
    await database.sql("INSERT INTO beside.owner (name, address) VALUES ('old', '')");
    const beating = setInterval(() => {
      database.sql('UPDATE beside.owner SET beat = beat + 1 WHERE NOT packs').catch(() => undefined);
    }, 200);
    atEnd(() => clearInterval(beating));
    await storage.open(new RecordingListener());
    const addTen = (): Promise<string[]> => addAll(storage, ...Array.from({ length: 10 }, () => newJob()));
    const handles = await addTen();
    const count = 'SELECT (SELECT count(*) FROM beside.job), (SELECT count(*) FROM beside.pack)';
    expect(await database.sql(count)).toBe('10|0\n');
    clearInterval(beating);
    await database.sql("UPDATE beside.owner SET dead = true, died = now() WHERE name = 'old'");
    await until('they are packed', async () => {
      handles.push(...(await addTen()));
      return (await database.sql(count)).endsWith('|1\n');
    });
    expect(handlesOf(await storage.lease('reverse', 1, 1_000, NOW))).toEqual(handles);
  });
});
