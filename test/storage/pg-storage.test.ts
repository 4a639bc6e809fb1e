import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { PgStorage } from '../../lib/job-server/storage/index.js';
import { ownPostgres, UNHURRIED } from '../support/databases.js';
import { describeWith } from '../support/peers.js';
import { addAll, newJob, NOW, RecordingListener } from './recorded-storage.js';
import { describeJobStorage } from './job-storage.contract.js';
import { describeScheduleFleet } from './schedule-fleet.contract.js';
import { describeSharing } from './sharing.contract.js';

describeWith('postgres', 'in PostgreSQL', () => {
  const database = ownPostgres();
  let schemas = 0;

  /** A storage in a schema of its own; those that share one say its number. */
  const storageIn = (schema: number, options: Partial<ConstructorParameters<typeof PgStorage>[0]> = {}): PgStorage =>
    new PgStorage({
      url: `postgresql://gear@127.0.0.1:${database.port}/queues`,
      schema: `s${schema}`,
      ...UNHURRIED,
      ...options,
    });

  describeJobStorage('PgStorage', async () => {
    const schema = ++schemas;
    return {
      storage: storageIn(schema),
      dispose: async () => void (await database.sql(`DROP SCHEMA s${schema} CASCADE`)),
    };
  });

  it('runs no statement that PostgreSQL compiles first: that takes longer than any of them', async () => {
    const schema = ++schemas;
    const storage = storageIn(schema, { name: `compiles-${schema}` });
    await storage.open(new RecordingListener());
    const [handle] = (await addAll(storage, newJob())) as [string];
    await storage.lease('reverse', 1, 1, NOW);
    storage.done(handle);
    await storage.flush();
    const asked = `SELECT pid FROM pg_stat_activity WHERE application_name = 'nestjs-gearman compiles-${schema}'`;
    const pids = (await database.sql(asked)).trim().split('\n');
    expect(pids).toHaveLength(4);
    // The compiler is a library that a process loads when it first needs it.
    for (const pid of pids) expect(readFileSync(`/proc/${pid}/maps`, 'utf8')).not.toContain('llvmjit');
    await storage.close();
  }, 60_000);

  describeScheduleFleet('PgStorage', async () => {
    const schema = ++schemas;
    return ['one', 'two', 'three'].map((name, index) =>
      storageIn(schema, { name, address: `127.0.0.1:${4730 + index}` }),
    );
  });

  for (const listen of [true, false]) {
    describeSharing(`PgStorage ${listen ? 'that listens' : 'that only looks'}`, async () => {
      const schema = ++schemas;
      return {
        one: storageIn(schema, { name: 'one', address: '127.0.0.1:4730', listen }),
        two: storageIn(schema, { name: 'two', address: '127.0.0.1:4731', listen }),
        // As another job server does to one whose beat it did not see.
        stall: async () => {
          await database.sql(`
            UPDATE s${schema}.owner SET dead = true, died = now() WHERE name = 'one';
            UPDATE s${schema}.job SET owner = 0 WHERE owner IN (SELECT id FROM s${schema}.owner WHERE dead)`);
        },
        dispose: async () => void (await database.sql(`DROP SCHEMA s${schema} CASCADE`)),
      };
    });
  }
});
