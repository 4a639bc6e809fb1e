import { expect, it } from '@jest/globals';
import { PgStorage } from '../../../lib/job-server/storage/index.js';
import { ownPostgres, UNHURRIED } from '../../support/databases.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { addAll, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

describeWith('postgres', 'job servers on a PostgreSQL with many dead rows', () => {
  const database = ownPostgres();

  it('run what is given back below where they leased last, whoever gives it back, and where nobody tells', async () => {
    const options = { url: `postgresql://gear@127.0.0.1:${database.port}/queues`, leaseTime: 60_000, ...UNHURRIED };
    const [one, two] = [new PgStorage({ ...options, name: 'one' }), new PgStorage({ ...options, name: 'two' })];
    for (const storage of [one, two]) await storage.open(new RecordingListener());
    await addAll(one, ...Array.from({ length: 5_000 }, () => newJob()));
    // As a busy minute leaves behind, or somebody's old snapshot.
    const columns = "1, 0, 0, 0, 0, 0, 1, NULL, NULL, '', '', false, NULL";
    await database.sql(`ALTER TABLE gearman.job SET (autovacuum_enabled = off)`);
    await database.sql(
      `INSERT INTO gearman.job SELECT ('H:dead:' || n)::bytea, ${columns} FROM generate_series(1, 30000) n`,
    );
    await database.sql("DELETE FROM gearman.job WHERE workload = '' AND seq = 1");
    const dead = "SELECT pg_stat_get_dead_tuples('gearman.job'::regclass)";
    await until('PostgreSQL knows of them', async () => Number(await database.sql(dead)) > 20_000);
    const leaseOne = async (): Promise<string> => handlesOf(await one.lease('reverse', 1, 1, NOW))[0]!;
    const isLeasedAgain = (handle: string): Promise<unknown> =>
      until('it is leased again', async () => (await leaseOne()) === handle);

    /** Until it leases from further on: the place is half a second to a second behind. */
    const goOn = (): Promise<unknown> => {
      const risen = performance.now() + 3_000;
      return until('it leases from further on', async () => {
        for (const job of await one.lease('reverse', 1, 1, NOW)) one.done(job.handle);
        return performance.now() >= risen;
      });
    };

    const mine = await leaseOne();
    const [others] = handlesOf(await two.lease('reverse', 1, 1, NOW)) as [string];
    await goOn();
    two.release(others);
    await two.flush();
    await isLeasedAgain(others);
    one.release(mine);
    await one.flush();
    expect(await leaseOne()).toBe(mine);
    await goOn();
    await database.sql(`UPDATE gearman.job SET owner = 0 WHERE handle = '${mine}'`);
    await isLeasedAgain(mine);
    for (const storage of [one, two]) await storage.close();
  });
});
