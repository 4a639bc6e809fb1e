import { StorageError } from '../storage-error.js';
import { PACKED_HANDLE, PACKED_WORKLOAD } from './pack-statements.js';
import type { PgConnection } from './pg-connection.js';

/** The form of the tables. Version 1 is the first; {@link UPGRADES} lead to the others. */
export const VERSION = 4;

/** The number of the lock that a job server has while it makes the tables, so that only one does. */
const LOCK = 0x6765_6172;

/**
 * Many jobs in one row: plain ones of one queue that came together. `present` has
 * a bit for each that is still in it; one that is not has ended, or has got a row
 * of its own. The job at place i has the handle `prefix` and number `first +
 * numbers[i + 1]`, was accepted at `accepted + delays[i + 1]`, and its workload
 * ends at `ends[i + 1]`. `seq` is the place of the first that is present while the pack
 * waits, `base` the one of place 0. What changes is small and in no index: the workloads are not written again.
 */
const PACK = (schema: string): readonly string[] => [
  `CREATE TABLE ${schema}.pack (
     maker int NOT NULL, number bigint NOT NULL, seq bigint NOT NULL, base bigint NOT NULL, function int NOT NULL, priority smallint NOT NULL,
     owner int NOT NULL, present bigint NOT NULL, prefix bytea NOT NULL, first bigint NOT NULL, last bigint NOT NULL, numbers int[] NOT NULL,
     accepted bigint, delays int[] NOT NULL, ends int[] NOT NULL, workloads bytea NOT NULL, PRIMARY KEY (maker, number))
   WITH (fillfactor = 75, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_cost_delay = 0,
         autovacuum_vacuum_insert_threshold = -1)`,
  `ALTER TABLE ${schema}.pack ALTER workloads SET STORAGE EXTERNAL`,
  `CREATE INDEX pack_queue ON ${schema}.pack (owner, function, priority, seq)`,
  `CREATE INDEX pack_handle ON ${schema}.pack (prefix, last, first)`,
  // For people, and for who lists them all.
  `CREATE VIEW ${schema}.jobs AS
     SELECT handle, seq, at, function, owner, attempts, losses, priority, unique_key, unique_long, reducer, workload, accepted FROM ${schema}.job
     UNION ALL
     SELECT ${PACKED_HANDLE}, p.base + i, 0, p.function, p.owner, 0, 0, p.priority, NULL, NULL, '',
       ${PACKED_WORKLOAD}, p.accepted + p.delays[i + 1]
     FROM ${schema}.pack p, generate_series(0, cardinality(p.numbers) - 1) i WHERE (p.present >> i) & 1 = 1`,
];

/**
 * The tables. `job.owner` is 0 for a job that waits, else the number of the
 * session that has leased it, and `job.wanted` is true where a submission was
 * told this job besides the one that made it; `job.accepted` is when it was, in
 * milliseconds since 1970; `owner.packs` says that a session knows packs; `tally` has what every statement changed in a
 * queue's counts, added up now and then, so that no row is fought for.
 */
const STATEMENTS = (schema: string): readonly string[] => [
  `CREATE TABLE ${schema}.function (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name bytea NOT NULL UNIQUE)`,
  `CREATE TABLE ${schema}.owner (
     id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, address text NOT NULL,
     beat bigint NOT NULL DEFAULT 0, dead bool NOT NULL DEFAULT false, died timestamptz, packs bool NOT NULL DEFAULT false) WITH (fillfactor = 30)`,
  // One number a batch: a job's sequence is the batch's, times 4,096, and its place in it.
  `CREATE SEQUENCE ${schema}.batch`,
  `CREATE TABLE ${schema}.job (
     handle bytea PRIMARY KEY, seq bigint NOT NULL, at bigint NOT NULL, function int NOT NULL, owner int NOT NULL,
     attempts int NOT NULL, losses int NOT NULL, priority smallint NOT NULL,
     unique_key bytea, unique_long bytea, reducer bytea NOT NULL, workload bytea NOT NULL,
     wanted bool NOT NULL DEFAULT false, accepted bigint)
   WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0,
         autovacuum_vacuum_insert_threshold = -1)`,
  `ALTER TABLE ${schema}.job ALTER workload SET STORAGE EXTERNAL`,
  `CREATE INDEX job_queue ON ${schema}.job (owner, function, priority, at, seq)`,
  `CREATE UNIQUE INDEX job_unique ON ${schema}.job (function, unique_key) WHERE unique_key IS NOT NULL`,
  ...PACK(schema),
  `CREATE TABLE ${schema}.dead (
     handle bytea PRIMARY KEY, seq bigint NOT NULL, at bigint NOT NULL, function int NOT NULL,
     attempts int NOT NULL, losses int NOT NULL, priority smallint NOT NULL,
     unique_key bytea, unique_long bytea, reducer bytea NOT NULL, workload bytea NOT NULL,
     error bytea NOT NULL, died_at bigint NOT NULL, accepted bigint)`,
  `CREATE INDEX dead_age ON ${schema}.dead (died_at, seq)`,
  `CREATE TABLE ${schema}.result (
     handle bytea PRIMARY KEY, function int NOT NULL, state text NOT NULL, result bytea NOT NULL, keep_until bigint NOT NULL)`,
  `CREATE INDEX result_age ON ${schema}.result (keep_until)`,
  `CREATE TABLE ${schema}.tally (
     function int NOT NULL, priority smallint NOT NULL, total bigint NOT NULL, waiting bigint NOT NULL, scheduled bigint NOT NULL)
   WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`,
  // Jobs that one session has leased and another one was told to cancel.
  `CREATE TABLE ${schema}.cancel (owner int NOT NULL, handle bytea NOT NULL, PRIMARY KEY (owner, handle))`,
  `CREATE TABLE ${schema}.origin (bytes bytea PRIMARY KEY)`,
  `CREATE TABLE ${schema}.setting (name bytea PRIMARY KEY, value bytea NOT NULL)`,
  `CREATE TABLE ${schema}.version (version int NOT NULL)`,
  `INSERT INTO ${schema}.version VALUES (${VERSION})`,
];

/** What makes each version of the one before: the first of version 2, and so on. Job servers of that version go on meanwhile. */
const UPGRADES = (schema: string): readonly string[] => [
  `ALTER TABLE ${schema}.job ADD COLUMN wanted bool NOT NULL DEFAULT false`,
  `ALTER TABLE ${schema}.job ADD COLUMN accepted bigint; ALTER TABLE ${schema}.dead ADD COLUMN accepted bigint`,
  [`ALTER TABLE ${schema}.owner ADD COLUMN packs bool NOT NULL DEFAULT false`, ...PACK(schema)].join('; '),
];

/** Makes the tables where they are missing, brings older ones up to date, and refuses those of a newer version. */
export async function prepareSchema(connection: PgConnection, schema: string): Promise<void> {
  await connection.query({ text: 'BEGIN' });
  try {
    await connection.query({ text: `SELECT pg_advisory_xact_lock(${LOCK})` });
    const exists = await connection.query({
      text: 'SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2',
      values: [schema, 'version'],
    });
    if (exists.rows.length === 0) await makeTables(connection, schema);
    await checkVersion(connection, schema);
    await connection.query({ text: 'COMMIT' });
  } catch (error) {
    await connection.query({ text: 'ROLLBACK' }).catch(() => undefined);
    throw error;
  }
}

async function makeTables(connection: PgConnection, schema: string): Promise<void> {
  const known = await connection.query({ text: 'SELECT 1 FROM pg_namespace WHERE nspname = $1', values: [schema] });
  // Whoever may not make schemas can be given an empty one.
  if (known.rows.length === 0) await connection.query({ text: `CREATE SCHEMA ${schema}` });
  for (const text of STATEMENTS(schema)) await connection.query({ text });
}

/** Where the tables are of an older version, they are brought up to date. */
async function checkVersion(connection: PgConnection, schema: string): Promise<void> {
  const { rows } = await connection.query({ text: `SELECT version FROM ${schema}.version` });
  const version = (rows[0] as { readonly version?: number } | undefined)?.version ?? 0;
  if (version >= 1 && version <= VERSION) return upgrade(connection, schema, version);
  throw new StorageError(
    'GEARMAN_STORAGE_VERSION',
    `the schema ${schema} has version ${version} of the tables, and this job server knows ${VERSION}: use the newer one`,
  );
}

async function upgrade(connection: PgConnection, schema: string, from: number): Promise<void> {
  if (from === VERSION) return;
  for (const text of UPGRADES(schema).slice(from - 1)) await connection.query({ text });
  await connection.query({ text: `UPDATE ${schema}.version SET version = ${VERSION}` });
}
