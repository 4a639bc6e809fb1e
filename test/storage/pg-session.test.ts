import { expect, it } from '@jest/globals';
import { PgStorage } from '../../lib/job-server/storage/index.js';
import { atEnd } from '../support/cleanup.js';
import { ownPostgres, UNHURRIED } from '../support/databases.js';
import { describeWith } from '../support/peers.js';
import { until } from '../support/until.js';
import { addAll, handlesOf, newJob, NOW, RecordingListener } from './recorded-storage.js';

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
