import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { PgStorage, type StorageError } from '../../../lib/job-server/storage/index.js';
import { ROOT } from '../../support/built.js';
import { certificateAuthority, type CertificateAuthority } from '../../support/certificates.js';
import { startPostgres, UNHURRIED, type DatabaseServer } from '../../support/databases.js';
import { freePort } from '../../support/free-port.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { add, addAll, allOf, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

describeWith(['postgres', 'openssl'], 'a storage in a PostgreSQL that speaks TLS', () => {
  let database: DatabaseServer;
  let authority: CertificateAuthority;
  const open: PgStorage[] = [];

  beforeAll(async () => {
    authority = certificateAuthority();
    database = await startPostgres({ certificate: authority.issue('localhost') });
  });

  afterAll(async () => {
    for (const storage of open) await storage.close();
    await database.kill();
  });

  const opened = async (query: string, options: object = {}): Promise<PgStorage> => {
    const url = `postgresql://gear@localhost:${database.port}/queues${query}`;
    const storage = new PgStorage({ url, ...UNHURRIED, ...options });
    await storage.open(new RecordingListener());
    open.push(storage);
    return storage;
  };

  it.each([
    ['the URL says it', (): Promise<PgStorage> => opened(`?sslmode=verify-full&sslrootcert=${authority.file}`)],
    ['the option says it', (): Promise<PgStorage> => opened('', { ssl: { ca: authority.ca } })],
  ])('encrypts all its connections where %s', async (_, openIt) => {
    const storage = await openIt();
    const [handle] = await addAll(storage, newJob());
    expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([handle]);
    storage.done(handle!);
    await storage.flush();
    const plain =
      "SELECT count(*) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE a.application_name LIKE 'nestjs-gearman%'";
    expect(await database.sql(`${plain} AND s.ssl`)).not.toBe('0\n');
    expect(await database.sql(`${plain} AND NOT s.ssl`)).toBe('0\n');
  });

  it('refuses a database whose certificate nobody it trusts has signed', async () => {
    const stranger = certificateAuthority();
    const refused = { code: 'GEARMAN_STORAGE_UNREACHABLE', message: expect.stringContaining('certificate') };
    await expect(opened('', { ssl: { ca: stranger.ca } })).rejects.toMatchObject(refused);
  });
});

describeWith('postgres', 'a storage whose role may do no more in PostgreSQL than the guide says', () => {
  let database: DatabaseServer;

  beforeAll(async () => {
    database = await startPostgres();
    await database.sql(`
      REVOKE ALL ON SCHEMA public FROM PUBLIC;
      REVOKE TEMPORARY ON DATABASE queues FROM PUBLIC;
      CREATE ROLE one LOGIN;
      CREATE SCHEMA jobs AUTHORIZATION one;
      CREATE ROLE maker LOGIN;
      GRANT CREATE ON DATABASE queues TO maker;
      CREATE ROLE nobody LOGIN`);
  });

  afterAll(() => database.kill());

  const as = (role: string, schema: string, name?: string): PgStorage =>
    new PgStorage({
      url: `postgresql://${role}@127.0.0.1:${database.port}/queues`,
      schema,
      leaseTime: 3_000,
      ...UNHURRIED,
      ...(name && { name }),
    });

  it.each([
    ['a schema of its own', 'one', 'jobs'],
    ['leave to make one', 'maker', 'made'],
  ])('does all it does with %s', async (_, role, schema) => {
    const [one, two] = [as(role, schema, 'one'), as(role, schema, 'two')];
    const listeners = [new RecordingListener(), new RecordingListener()] as const;
    await one.open(listeners[0]);
    await two.open(listeners[1]);
    const [dead, kept, held, given] = (await addAll(one, newJob(), newJob(), newJob({ unique: 'u' }), newJob())) as [
      string,
      string,
      string,
      string,
    ];
    expect(await one.lease('reverse', 1, 4, NOW)).toHaveLength(4);
    one.change(held, { losses: 1 });
    one.bury(dead, 'boom', NOW);
    one.done(kept, { state: 'complete', result: 'x', keepUntil: NOW });
    one.release(given, { at: NOW + 1 });
    one.set('a', '1');
    one.set('b', '2');
    await one.flush();
    one.set('b', undefined);
    expect(await add(two, newJob({ unique: 'u' }), false).stored).toMatchObject({ handle: held });
    expect(await two.remove(held)).toBe('told');
    await until('it is told', () => listeners[0].cancelled.includes(held));
    expect(await two.replay(dead)).toBe(true);
    expect(await two.leaseOne(dead)).toMatchObject({ handle: dead });
    two.bury(dead, 'boom', NOW);
    await two.flush();
    expect(await allOf(two.deadLetters())).toHaveLength(1);
    expect(await two.purge(dead)).toBe(true);
    expect(await two.forget(NOW)).toBe(1);
    expect(await two.want(given)).toBe(true);
    expect(await two.addOnce(newJob(), 'elsewhere')).toBe('added');
    expect(await two.forgetOrigins()).toBe(1);
    expect(await two.fire('s', NOW, newJob())).toBe('fired');
    expect(await two.fire('s', NOW + 1)).toBe('fired');
    await until('the settings are known', () => two.settings().get('a') === '1' && !two.settings().has('b'));
    await one.close();
    // As many looks and signs of life as it takes to take somebody for dead.
    await database.sql(`INSERT INTO ${schema}.owner (name, address) VALUES ('gone', '')`);
    await until('it is dead', async () => {
      return (await database.sql(`SELECT dead FROM ${schema}.owner WHERE name = 'gone'`)) === 't\n';
    });
    await two.close();
    // A busy machine may have been late with an answer.
    const refusals = listeners.flatMap(({ troubles }) => troubles.filter((error) => error && !isLate(error)));
    expect(refusals).toEqual([]);
  });

  const isLate = ({ code }: StorageError): boolean => code === 'GEARMAN_STORAGE_UNREACHABLE';

  it('is set up, and watched, by what the guide says', async () => {
    const guide = readFileSync(join(ROOT, 'docs', 'fleet.md'), 'utf8');
    const [setUp, count, watch] = Array.from(guide.matchAll(/^```sql\n([\s\S]*?)^```$/gm), ([, sql]) => sql!);
    await database.sql(setUp!);
    const storage = as('gearman', 'gearman', 'jobs-1');
    await storage.open(new RecordingListener());
    await addAll(storage, newJob());
    expect(await storage.lease('reverse', 1, 1, NOW)).toHaveLength(1);
    await storage.flush();
    expect(await database.sql(count!)).toBe('reverse|1|0\n');
    const told = await database.sql(watch!);
    expect(told).toMatch(/^nestjs-gearman jobs-1\|idle\|Client\|ClientRead\|/m);
    expect(told).toMatch(/^jobs-1\|\|f\|1$/m);
    await storage.close();
  });

  it('says what it may not do, and what to do about it', async () => {
    await expect(as('nobody', 'none').open(new RecordingListener())).rejects.toMatchObject({
      code: 'GEARMAN_STORAGE_REFUSED',
      message: expect.stringMatching(
        /refuses: permission denied for database queues \(42501\): give its role that right/,
      ),
    });
  });

  it('says so where a policy hides rows from it, and takes no job for one that is not there', async () => {
    await database.sql('CREATE SCHEMA hidden AUTHORIZATION one');
    const storage = as('one', 'hidden');
    await storage.open(new RecordingListener());
    const [handle] = await addAll(storage, newJob());
    await database.sql('ALTER TABLE hidden.job ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY');
    const hidden = { code: 'GEARMAN_STORAGE_REFUSED', message: expect.stringContaining('row-level security') };
    await expect(storage.lease('reverse', 1, 1, NOW)).rejects.toMatchObject(hidden);
    await database.sql('ALTER TABLE hidden.job DISABLE ROW LEVEL SECURITY');
    expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([handle]);
    await storage.close();
  });

  it('says of each host why it will not do', async () => {
    const [silent, host] = [await freePort(), `127.0.0.1:${database.port}`];
    const url = `postgresql://nobody@${host},127.0.0.1:${silent}/elsewhere`;
    await expect(new PgStorage({ url }).open(new RecordingListener())).rejects.toMatchObject({
      code: 'GEARMAN_STORAGE_UNREACHABLE',
      message:
        `the database ${url} cannot be reached or written: ${host}: database "elsewhere" does not exist; ` +
        `127.0.0.1:${silent}: connect ECONNREFUSED 127.0.0.1:${silent}: check the database, and the way to it`,
    });
  });
});
