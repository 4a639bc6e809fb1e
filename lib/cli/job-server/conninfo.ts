import { existsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { notAllowed } from '../../ground/index.js';
import { UsageFailure } from '../failure.js';
import { databaseUrl } from '../moving/sources/database-url.js';

/** The words that describe a connection to PostgreSQL here; libpq has the same. */
const UNDERSTOOD = new Set(['host', 'hostaddr', 'port', 'dbname', 'user', 'password', 'sslmode']);
/** Words of libpq that change nothing when a table is only read once. */
const IGNORED = new Set(['connect_timeout', 'application_name', 'fallback_application_name', 'client_encoding']);

/** The folders in which libpq looks for a socket of this machine, if no host is named. */
const SOCKETS = ['/var/run/postgresql', '/tmp'];

/**
 * The database's address in `--libpq-conninfo`: a URL, or libpq's form
 * `host=db dbname=queues user='a b'`.
 *
 * @throws UsageFailure for words that have no meaning here.
 */
export function conninfoUrl(conninfo: string): URL {
  if (/^postgres(ql)?:\/\//.test(conninfo)) return databaseUrl(conninfo, 'postgres', 'postgresql');
  const settings = pairsOf(conninfo);
  const unknown = [...settings.keys()].find((key) => !UNDERSTOOD.has(key) && !IGNORED.has(key));
  if (unknown !== undefined) {
    throw new UsageFailure(
      `--libpq-conninfo: ${unknown} means nothing here; write host, port, dbname, user, password and sslmode`,
    );
  }
  const user = settings.get('user') ?? process.env['PGUSER'] ?? userInfo().username;
  const url = new URL(`postgres://localhost/${encodeURIComponent(settings.get('dbname') ?? user)}`);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(settings.get('password') ?? '');
  const port = settings.get('port') ?? '';
  url.port = port;
  if (url.port !== port) throw new UsageFailure(`--libpq-conninfo: port: ${notAllowed(port, 'a port')}`);
  const sslmode = settings.get('sslmode');
  if (sslmode !== undefined) url.searchParams.set('sslmode', sslmode);
  const socket = SOCKETS.find((folder) => existsSync(`${folder}/.s.PGSQL.${port || '5432'}`));
  setHost(url, settings.get('hostaddr') ?? settings.get('host') ?? process.env['PGHOST'] ?? socket ?? 'localhost');
  return url;
}

/** Sets the host: a name, or the folder of a socket. */
function setHost(url: URL, host: string): void {
  if (host.startsWith('/')) url.searchParams.set('host', host);
  else url.hostname = host.includes(':') ? `[${host}]` : host;
}

/** Reads `key = value` pairs. A value may stand in quotes; a backslash escapes a quote or a backslash. */
function pairsOf(conninfo: string): Map<string, string> {
  const pairs = new Map<string, string>();
  const pair = /\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)*))(?=\s|$)\s*/y;
  while (pair.lastIndex < conninfo.length) {
    const [, key, quoted, bare] = pair.exec(conninfo) ?? [];
    if (key === undefined) {
      throw new UsageFailure(
        '--libpq-conninfo is host=HOST port=PORT dbname=NAME user=NAME password=PASSWORD, or a URL',
      );
    }
    pairs.set(key, (quoted ?? bare ?? '').replace(/\\(.)/gs, '$1'));
  }
  return pairs;
}
