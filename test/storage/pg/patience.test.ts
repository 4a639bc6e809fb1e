import { expect, it } from '@jest/globals';
import { PgStorage, type JobRecord, type StorageError } from '../../../lib/job-server/storage/index.js';
import { atEnd } from '../../support/cleanup.js';
import { CuttingProxy } from '../../support/cutting-proxy.js';
import { ownPostgres, UNHURRIED } from '../../support/databases.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { add, newJob, openRecorded, type RecordingListener } from '../recorded-storage.js';

const UNREACHABLE = {
  code: 'GEARMAN_STORAGE_UNREACHABLE',
  message: expect.stringContaining(': check the database, and the way to it'),
};

describeWith('postgres', 'submissions that wait for a PostgreSQL which is away', () => {
  const database = ownPostgres();
  let schemas = 0;

  const open = async (): Promise<{ storage: PgStorage; listener: RecordingListener; proxy: CuttingProxy }> => {
    const proxy = await CuttingProxy.to(database.port);
    const url = `postgresql://gear@127.0.0.1:${proxy.port}/queues`;
    const schema = `p${++schemas}`;
    const storage = new PgStorage({ url, schema, patience: 3_600_000, leaseTime: 3_600_000, ...UNHURRIED });
    const listener = await openRecorded(storage);
    atEnd(() => storage.close().catch(() => undefined));
    return { storage, listener, proxy };
  };

  it.each<[string, number, Partial<JobRecord>, number]>([
    ['32,768 jobs', 32_768, {}, 1],
    // With what else each takes, the last one begins below 64 MiB.
    ['64 MiB', 64, { workload: Buffer.alloc(1024 * 1024, 'x') }, 64],
  ])(
    'are so many at most: %s; what is too much is refused at once, and all others are written',
    async (_, most, job, margin) => {
      const { storage, listener, proxy } = await open();
      proxy.down();
      const settled: Promise<StorageError | undefined>[] = [];
      const submit = (): Promise<StorageError | undefined> => {
        const { stored } = add(storage, newJob(job), false);
        const outcome = stored.then(
          () => undefined,
          (error: StorageError) => error,
        );
        settled.push(outcome);
        return outcome;
      };
      void submit();
      await until('it is known to be away', () => listener.troubles.length > 0);
      while (settled.length < most) void submit();
      // One is on its way to the database at times, and does not count as waiting meanwhile.
      await until('one is refused', async () => {
        const outcome = submit();
        return Promise.race([
          outcome.then((error) => error !== undefined),
          new Promise<false>((resolve) => setImmediate(resolve, false)),
        ]);
      });
      expect(await settled.at(-1)).toMatchObject(UNREACHABLE);
      expect(settled.length).toBeLessThanOrEqual(most + 2_000 + margin);
      proxy.up();
      const outcomes = await Promise.all(settled);
      const written = outcomes.filter((error) => error === undefined).length;
      expect(await database.sql(`SELECT count(*) FROM p${schemas}.jobs`)).toBe(`${written}\n`);
      expect(written).toBeGreaterThanOrEqual(most);
      expect(written).toBeLessThan(settled.length);
    },
  );
});
