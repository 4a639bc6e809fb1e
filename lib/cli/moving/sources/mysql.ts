import type { Readable } from 'node:stream';
import type { GearmandRow, GearmandTable } from '../gearmand-rows.js';
import { optionalPackage } from '../optional-package.js';
import { databaseFailure, databaseUrl, quoted, tableName } from './database-url.js';

/** The parts of the package `mysql2` that are used. */
interface Mysql {
  createConnection(options: { uri: string; password?: string }): Connection;
}

interface Connection {
  connect(done: (error: Error | null) => void): void;
  query(sql: string): { stream(options: { highWaterMark: number }): Readable };
  on(event: 'error', listener: (error: Error) => void): void;
  destroy(): void;
}

/** How many rows are read ahead into memory. */
const ROWS_AHEAD = 64;

/** gearmand's table in MySQL or MariaDB (`-q MySQL`). */
export function mysqlTable(address: string, table = 'gearman_queue'): GearmandTable {
  const url = databaseUrl(address, 'mysql');
  return { name: tableName(url, '3306', table), rows: () => read(url, table) };
}

async function* read(url: URL, table: string): AsyncGenerator<GearmandRow> {
  const { createConnection } = await optionalPackage<Mysql>('mysql2', 'reading a MySQL queue');
  const password = url.password === '' ? process.env['MYSQL_PWD'] : undefined;
  const connection = createConnection({ uri: url.href, ...(password !== undefined && { password }) });
  let rows: Readable | undefined;
  // The package does not tell the stream of rows when the connection is lost.
  connection.on('error', (error) => rows?.destroy(error));
  try {
    await new Promise<void>((resolve, reject) => connection.connect((error) => (error ? reject(error) : resolve())));
    rows = connection.query(select(table)).stream({ highWaterMark: ROWS_AHEAD });
    for await (const row of rows) yield row as GearmandRow;
  } catch (error) {
    throw databaseFailure(error, url, table);
  } finally {
    connection.destroy();
  }
}

/** gearmand's own connection uses utf8mb4, whatever the table uses; so a connection with utf8mb4 gets the bytes that were sent to gearmand. */
function select(table: string): string {
  const bytes = (column: string): string => `CAST(CONVERT(${column} USING utf8mb4) AS BINARY) AS ${column}`;
  return `SELECT ${bytes('unique_key')}, ${bytes('function_name')}, priority, data, when_to_run FROM ${quoted(table, '`')}`;
}
