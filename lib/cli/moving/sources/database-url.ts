import { Failure, UsageFailure } from '../../failure.js';

/** Reads the address of a database; only these protocols are allowed. */
export function databaseUrl(text: string, ...protocols: readonly string[]): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && protocols.includes(url.protocol.slice(0, -1)) && url.pathname.length > 1) return url;
  throw new UsageFailure(
    `the queue's address is ${protocols[0]}://USER:PASSWORD@HOST:PORT/DATABASE, not ${JSON.stringify(withoutPassword(text))}`,
  );
}

/** Identifies a table among all others, whichever way it is read. */
export function tableName(url: URL, port: string, table: string): string {
  return `${url.protocol}${url.hostname}:${url.port || port}${url.pathname}:${table}`;
}

/** `schema.table`, each part quoted. */
export function quoted(table: string, quote: '"' | '`'): string {
  return table
    .split('.')
    .map((part) => quote + part.replaceAll(quote, quote + quote) + quote)
    .join('.');
}

/** Makes a failure for a person from a database's error or the loss of its connection; any other error stays as it is. */
export function databaseFailure(error: unknown, url: URL, table: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure || error instanceof TypeError) return error;
  const { code, message } = error as Error & { code?: unknown };
  // If all addresses of a name refuse the connection, Node's error has a code but no message.
  const what = (message || String(code)).replace(/\.$/, '');
  const cure = MISSING.includes(String(code))
    ? "name gearmand's table with --table"
    : 'see whether the database is up and the address right, and run this again';
  return new Failure(`${url.hostname}${url.pathname}, table ${table}: ${what}: ${cure}`, undefined, { cause: error });
}

/** The codes for a missing table or column, of MySQL and of PostgreSQL. */
const MISSING = ['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR', '42P01', '42703'];

function withoutPassword(text: string): string {
  return text.replace(/:[^:@/]*@/, ':...@');
}
