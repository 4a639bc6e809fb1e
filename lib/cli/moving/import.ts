import { LogStorage, PgStorage } from '../../job-server/storage/index.js';
import type { Command, Terminal } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { toggle, valued, type OptionValues } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { oneOf, text } from '../options/values.js';
import { databaseOf, FLEET_DATABASE } from './fleet-database.js';
import { jobsOfTable } from './gearmand-rows.js';
import { importJobs, type ImportCounts } from './import-jobs.js';
import type { Source } from './incoming.js';
import { QUEUE_PATH, queuePathOf } from './queue-path.js';
import { jobsOfExport } from './sources/export-file.js';
import { jobsOfLmdb } from './sources/lmdb/index.js';
import { mysqlTable } from './sources/mysql.js';
import { postgresTable } from './sources/postgres.js';
import { sqliteTable } from './sources/sqlite.js';
import { withStorageFailures } from './storage-failure.js';

const OPTIONS = {
  from: valued(
    'What is read: sqlite FILE, mysql URL or postgres URL (a queue of gearmand’s), export FILE, or lmdb DIR (a folder of the former form).',
    oneOf('sqlite', 'mysql', 'postgres', 'export', 'lmdb'),
    { argument: 'KIND' },
  ),
  ...QUEUE_PATH,
  ...FLEET_DATABASE,
  table: valued('gearmand’s table. Default gearman_queue; in PostgreSQL queue.', text, { argument: 'NAME' }),
  forget: toggle('Forget which rows were imported, so that they can be imported again; alone, or before an import.'),
  help: toggle('Show this page.'),
} as const;

type Values = OptionValues<typeof OPTIONS>;

const INTRO = `nestjs-gearman import --from KIND SOURCE --queue-path DIR

Moves jobs into the folder of a job server that is stopped. Nothing is deleted where they come
from, and each comes once: run it again after an interruption and it goes on.`;

const OUTRO = `A password can stand in MYSQL_PWD or PGPASSWORD instead of the URL. sqlite needs the package
node-sqlite3-wasm, mysql needs mysql2, postgres needs pg, lmdb needs lmdb.`;

/** `nestjs-gearman import`. */
export const importCommand: Command = {
  options: OPTIONS,
  help: () => helpText(INTRO, [{ title: 'Options', options: OPTIONS }], OUTRO),
  async run(line, terminal) {
    const { values, words } = parseOptions(OPTIONS, line);
    const path = queuePathOf(values);
    const { 'pg-url': url } = values;
    if (path !== undefined && url !== undefined) throw new UsageFailure('--queue-path and --pg-url: choose one');
    if (path === undefined && url === undefined) {
      throw new UsageFailure('--queue-path DIR is missing: the folder the jobs come into; or --pg-url URL, a database');
    }
    if (values.from === undefined && !values.forget) {
      throw new UsageFailure('--from is missing: --from sqlite FILE, mysql URL, postgres URL, export FILE or lmdb DIR');
    }
    const source = values.from === undefined ? undefined : sourceFrom(values.from, words, values);
    await withStorageFailures(() => moveIn(source, targetOf(values), values, terminal));
  },
};

/** What follows each kind of source on the command line. */
const ARGUMENTS = { sqlite: 'FILE', mysql: 'URL', postgres: 'URL', export: 'FILE', lmdb: 'DIR' } as const;

function sourceFrom(kind: NonNullable<Values['from']>, words: readonly string[], { table }: Values): Source {
  const [where, ...more] = words;
  if (where === undefined || more.length > 0) {
    const what = ARGUMENTS[kind];
    throw new UsageFailure(`--from ${kind} is followed by one ${what}: --from ${kind} ${what}`);
  }
  switch (kind) {
    case 'sqlite':
      return jobsOfTable(sqliteTable(where, table));
    case 'mysql':
      return jobsOfTable(mysqlTable(where, table));
    case 'postgres':
      return jobsOfTable(postgresTable(where, table));
    case 'export':
      if (table !== undefined)
        throw new UsageFailure('--table names a table of gearmand’s queue; an export has no tables');
      return jobsOfExport(where);
    case 'lmdb':
      if (table !== undefined)
        throw new UsageFailure('--table names a table of gearmand’s queue; a folder has no tables');
      return jobsOfLmdb(where);
  }
}

/** The storage that jobs are imported into. */
type Target = LogStorage | PgStorage;

function targetOf(values: Values): Target {
  const database = databaseOf(values);
  return database ? new PgStorage(database) : new LogStorage({ path: queuePathOf(values)! });
}

async function moveIn(
  source: Source | undefined,
  storage: Target,
  { forget }: Values,
  { signal, stderr, stdout }: Terminal,
): Promise<void> {
  await storage.open({
    ready: () => undefined,
    // Not needed, because each job that cannot be written rejects by itself.
    trouble: () => undefined,
    setAside: ({ reason }) => void stderr.write(`nestjs-gearman: a job cannot be read: ${reason}\n`),
  });
  try {
    if (forget) stdout.write(`forgot ${await storage.forgetOrigins()} jobs that were imported before\n`);
    if (!source) return;
    const progress = ({ read }: ImportCounts): void => void stderr.write(`nestjs-gearman: ${read} read\n`);
    const counts = await importJobs(source, storage, { signal, progress });
    stdout.write(summary(counts));
    if (signal.aborted) throw new Failure('interrupted: run it again to go on');
    if (counts.firstUnfit) throw unfitFailure(counts, counts.firstUnfit.message);
  } finally {
    await storage.close();
  }
}

function summary({ read, added, known, coalesced, unfit, settings }: ImportCounts): string {
  return (
    `${read} read: ${added} imported, ${known} known from an earlier run, ` +
    `${coalesced} joined to a waiting job of their unique, ${unfit} left out\n` +
    (settings > 0 ? `${settings} settings imported: what was set for functions, and schedules' last ticks\n` : '')
  );
}

function unfitFailure({ unfit }: ImportCounts, first: string): Failure {
  return new Failure(`${unfit} cannot be jobs here and were left out; the first: ${first}`);
}
