import type { GearmandRow, GearmandTable } from '../gearmand-rows.js';
import { optionalPackage } from '../optional-package.js';
import { databaseFailure, databaseUrl, quoted, tableName } from './database-url.js';

/** The parts of the package `pg` that are used. */
interface Postgres {
  readonly Client: new (options: { connectionString: string }) => Client;
}

interface Client {
  connect(): Promise<unknown>;
  query(sql: string): Promise<{ rows: GearmandRow[] }>;
  on(event: 'error', listener: (error: Error) => void): void;
  end(): Promise<void>;
}

/** How many rows are fetched at a time. */
const ROWS_PER_FETCH = 200;

/** gearmand's table in PostgreSQL (`-q Postgres`). */
export function postgresTable(address: string, table = 'queue'): GearmandTable {
  const url = databaseUrl(address, 'postgres', 'postgresql');
  return { name: tableName(url, '5432', table), rows: () => read(url, table) };
}

async function* read(url: URL, table: string): AsyncGenerator<GearmandRow> {
  const { Client } = await optionalPackage<Postgres>('pg', 'reading a PostgreSQL queue');
  const client = new Client({ connectionString: url.href });
  // The query that waits for rows fails with it too.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    // So the rows come from the beginning and in their order, also while somebody else reads the table.
    await client.query('SET LOCAL synchronize_seqscans = off');
    await client.query(`DECLARE jobs NO SCROLL CURSOR FOR ${select(table)}`);
    for (;;) {
      const { rows } = await client.query(`FETCH ${ROWS_PER_FETCH} FROM jobs`);
      if (rows.length === 0) return;
      yield* rows;
    }
  } catch (error) {
    throw databaseFailure(error, url, table);
  } finally {
    await client.end().catch(() => undefined);
  }
}

function select(table: string): string {
  const bytes = (column: string): string => `convert_to(${column}, getdatabaseencoding()) AS ${column}`;
  return `SELECT ${bytes('unique_key')}, ${bytes('function_name')}, priority, data, when_to_run FROM ${quoted(table, '"')}`;
}
