import { PgStorage } from '../../lib/job-server/storage/index.js';
import { ownPostgres } from '../support/databases.js';
import { describeWith } from '../support/peers.js';
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
      ...options,
    });

  describeJobStorage('PgStorage', async () => {
    const schema = ++schemas;
    return {
      storage: storageIn(schema),
      dispose: async () => void (await database.sql(`DROP SCHEMA s${schema} CASCADE`)),
    };
  });

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
