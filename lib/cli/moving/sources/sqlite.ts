import { existsSync, mkdtempSync, realpathSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Failure } from '../../failure.js';
import type { GearmandRow, GearmandTable } from '../gearmand-rows.js';
import { optionalPackage } from '../optional-package.js';

/** The parts of the package `node-sqlite3-wasm` that are used. */
interface Sqlite {
  readonly Database: new (file: string, options: { readOnly: boolean; fileMustExist: boolean }) => Database;
}

interface Database {
  prepare(sql: string): Statement;
  close(): void;
}

interface Statement {
  iterate(): Iterable<GearmandRow>;
  finalize(): void;
}

/** gearmand's table in an SQLite file (`-q libsqlite3`), in the order in which the rows were added. */
export function sqliteTable(file: string, table = 'gearman_queue'): GearmandTable {
  if (!existsSync(file)) throw new Failure(`there is no file ${file}: name gearmand's --libsqlite3-db`);
  const path = realpathSync(file);
  return { name: `sqlite:${path}:${table}`, rows: () => read(path, table) };
}

/**
 * SQLite in WebAssembly does not see locks of other processes. So this checks
 * itself whether gearmand is writing: by its journal, and the file's time.
 */
async function* read(path: string, table: string): AsyncGenerator<GearmandRow> {
  const { Database } = await optionalPackage<Sqlite>('node-sqlite3-wasm', 'reading an SQLite queue');
  const before = stateOf(path);
  const link = new TemporaryLink(path);
  let database: Database | undefined;
  try {
    database = new Database(link.path, { readOnly: true, fileMustExist: true });
    yield* rowsOf(database, table);
  } catch (error) {
    throw refusal(error, path);
  } finally {
    database?.close();
    link.remove();
  }
  if (stateOf(path) !== before) {
    throw new Failure(`${path} changed while it was read: stop gearmand and run this again`);
  }
}

function* rowsOf(database: Database, table: string): Generator<GearmandRow> {
  // As bytes, because SQLite stores whatever bytes gearmand was sent.
  const statement = database.prepare(
    `SELECT CAST(unique_key AS BLOB) AS unique_key, CAST(function_name AS BLOB) AS function_name, priority,
      CAST(data AS BLOB) AS data, when_to_run FROM "${table.replaceAll('"', '""')}" ORDER BY rowid`,
  );
  try {
    yield* statement.iterate();
  } finally {
    statement.finalize();
  }
}

/** A text that changes whenever the file changes. */
function stateOf(path: string): string {
  for (const suffix of ['-journal', '-wal']) {
    if (!statSync(path + suffix, { throwIfNoEntry: false })?.size) continue;
    throw new Failure(
      `${path}${suffix} says that gearmand is running, or ended in the middle: ` +
        `stop gearmand, run \`sqlite3 ${path} "PRAGMA journal_mode = DELETE"\`, and then this again`,
    );
  }
  const { size, mtimeMs, ino } = statSync(path);
  return `${ino}:${size}:${mtimeMs}`;
}

function refusal(error: unknown, path: string): unknown {
  if (!(error instanceof Error) || error.name !== 'SQLite3Error') return error;
  const { message } = error;
  const cure = /no such (table|column)/.test(message)
    ? "name gearmand's table with --table"
    : `see whether \`sqlite3 ${path} .schema\` can read it; one with a write-ahead log needs "PRAGMA journal_mode = DELETE"`;
  return new Failure(`${path}: ${message}: ${cure}`, undefined, { cause: error });
}

/** A link to the file in a temporary folder, beside which SQLite puts its lock: beside the file itself the folder may be read-only, and the lock would stay after a crash. */
class TemporaryLink {
  private readonly folder = mkdtempSync(join(tmpdir(), 'nestjs-gearman-'));
  readonly path = join(this.folder, 'queue.db');

  constructor(path: string) {
    symlinkSync(path, this.path);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
