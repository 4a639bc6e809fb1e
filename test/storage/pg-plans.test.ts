import { expect, it } from '@jest/globals';
import { PgStorage } from '../../lib/job-server/storage/index.js';
import { PgConnection } from '../../lib/job-server/storage/postgres/pg-connection.js';
import { checkPgOptions } from '../../lib/job-server/storage/postgres/pg-options.js';
import { statementsFor } from '../../lib/job-server/storage/postgres/pg-statements.js';
import { atEnd } from '../support/cleanup.js';
import { ownPostgres, UNHURRIED } from '../support/databases.js';
import { describeWith } from '../support/peers.js';
import { RecordingListener } from './recorded-storage.js';

type Name = keyof ReturnType<typeof statementsFor>;

describeWith('postgres', 'plans that PostgreSQL makes on empty tables, and keeps', () => {
  const database = ownPostgres();

  /** The steps of a statement's plan, as a job server's connection has it made. */
  const planOf = async (name: Name): Promise<string[]> => {
    const url = `postgresql://gear@127.0.0.1:${database.port}/queues`;
    const options = checkPgOptions({ url, schema: 'plans', ...UNHURRIED });
    const storage = new PgStorage(options);
    await storage.open(new RecordingListener());
    await storage.close();
    const connection = new PgConnection(options, { isSynchronous: false });
    atEnd(() => connection.close());
    const text = statementsFor('plans')[name];
    const count = Math.max(0, ...[...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)));
    await connection.query({ text: `PREPARE it AS ${text}` });
    const values = Array.from({ length: count }, () => 'NULL').join(', ');
    const { rows } = await connection.query({ text: `EXPLAIN EXECUTE it${values && `(${values})`}` });
    return rows.map((row) => (row as { readonly 'QUERY PLAN': string })['QUERY PLAN'].trim());
  };

  it('lease by the places of the jobs that were found, and not by walking over all that ever waited', async () => {
    const steps = await planOf('lease');
    const scans = steps.map((step) => /(\S+) Scan( using \S+)? on job\b/.exec(step)?.[0]).filter(Boolean);
    // For those whose time has come, and for the rest: which, and then the rows themselves.
    const both = ['Index Scan using job_queue on job', 'Tid Scan on job'];
    expect(scans.sort()).toEqual([...both, ...both].sort());
  });

  it.each<Name>(['done', 'doneWithResult', 'bury', 'release', 'change', 'leaseOne', 'remove', 'find', 'byHandles'])(
    '%s looks jobs up by their handles',
    async (name) => {
      const found = (await planOf(name)).filter((step) => / on job\b/.test(step) && step.includes('Scan'));
      expect(found).toEqual([expect.stringMatching(/Index Scan using job_pkey on job j/)]);
    },
  );
});
