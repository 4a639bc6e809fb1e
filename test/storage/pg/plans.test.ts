import { expect, it } from '@jest/globals';
import { PgStorage } from '../../../lib/job-server/storage/index.js';
import { PgConnection } from '../../../lib/job-server/storage/postgres/pg-connection.js';
import { checkPgOptions } from '../../../lib/job-server/storage/postgres/pg-options.js';
import { statementsFor } from '../../../lib/job-server/storage/postgres/pg-statements.js';
import { atEnd } from '../../support/cleanup.js';
import { ownPostgres, UNHURRIED } from '../../support/databases.js';
import { describeWith } from '../../support/peers.js';
import { RecordingListener } from '../recorded-storage.js';

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

  /** How the tables of jobs and of packs are read, for a statement. */
  const scansOf = async (name: Name): Promise<string[]> => {
    const steps = (await planOf(name)).map((step) => /\S+( \S+)? Scan( using \S+)? on (job|pack)\b/.exec(step)?.[0]);
    return steps.flatMap((step) => step?.replace(/^->\s+/, '') ?? []).sort();
  };

  it('lease by the places of the jobs that were found, and not by walking over all that ever waited', async () => {
    // For those whose time has come, for the rest, and for packs: which, and then the rows themselves.
    const jobs = ['Index Scan using job_queue on job', 'Tid Scan on job'];
    const packs = ['Index Scan using pack_queue on pack', 'Tid Scan on pack', 'Tid Scan on pack'];
    expect(await scansOf('lease')).toEqual([...jobs, ...jobs, ...packs].sort());
  });

  it('waits for a pack of a queue in the order of its places', async () => {
    expect(await scansOf('waitForPack')).toEqual(['Index Scan using pack_queue on pack']);
  });

  it.each<Name>(['done', 'doneWithResult', 'bury', 'release', 'change', 'leaseOne', 'remove', 'byHandles'])(
    '%s looks jobs up by their handles',
    async (name) => {
      expect(await scansOf(name)).toEqual(['Index Scan using job_pkey on job']);
    },
  );

  it.each<Name>(['donePacked', 'donePackedWithResult', 'makeRowsOfPacked', 'voidPacked'])(
    '%s looks packs up by their names',
    async (name) => {
      const scan = 'Index Scan using pack_pkey on pack';
      expect(await scansOf(name)).toEqual([scan, scan, scan]);
    },
  );

  it('looks for a job among rows and packs by its handle', async () => {
    const inPacks = 'Index Scan using pack_handle on pack';
    expect(await scansOf('find')).toEqual(['Index Scan using job_pkey on job', inPacks]);
    expect(await scansOf('packedByHandles')).toEqual([inPacks]);
    expect(await scansOf('unpack')).toEqual([inPacks, 'Index Scan using pack_pkey on pack']);
  });

  it('gives back what an owner has by its number', async () => {
    expect(await scansOf('giveBack')).toEqual(['Index Scan using job_queue on job']);
    expect(await scansOf('giveBackPacks')).toEqual(['Index Scan using pack_queue on pack']);
  });
});
