import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseAddress } from '../../connection/index.js';
import { notAllowed } from '../../ground/index.js';
import type { StorageOptions } from '../../job-server/storage/index.js';
import { UsageFailure } from '../failure.js';
import type { GearmandTable } from '../moving/gearmand-rows.js';
import { mysqlTable } from '../moving/sources/mysql.js';
import { postgresTable } from '../moving/sources/postgres.js';
import { sqliteTable } from '../moving/sources/sqlite.js';
import { queuePathOf } from '../moving/queue-path.js';
import { conninfoUrl } from './conninfo.js';
import type { JobServerValues } from './options.js';
import { QUEUE_PLUGINS } from './queue-plugins.js';

/** A queue of gearmand's. Its jobs are moved here at the first start; from then on they are only in our storage. */
export interface FormerQueue {
  /** Identifies the queue: a file, or a database and a table. */
  readonly name: string;
  /** gearmand's table; undefined if there is none yet, because gearmand never started. */
  table(): GearmandTable | undefined;
}

/** Where background jobs are kept. */
export interface QueueChoice {
  /** Undefined: jobs are kept in memory. */
  readonly storage?: StorageOptions;
  /** The queue that is moved in first, once. */
  readonly former?: FormerQueue;
}

/** What each queue type means, by its name in lower case; gearmand accepts upper and lower case. */
const QUEUES: Readonly<Record<string, (values: JobServerValues) => QueueChoice>> = {
  builtin: () => ({}),
  file: fileQueue,
  lmdb: fileQueue,
  libsqlite3: (values) => {
    const { 'libsqlite3-db': file, 'libsqlite3-table': table } = values;
    if (file === undefined)
      throw new UsageFailure('--queue-type libsqlite3 needs --libsqlite3-db FILE: the queue’s file');
    const former = {
      name: `${resolve(file)}, table ${table ?? 'gearman_queue'}`,
      table: () => (existsSync(file) ? sqliteTable(file, table) : undefined),
    };
    return { storage: embedded(queuePathOf(values) ?? `${file}.jobs`, values), former };
  },
  mysql: (values) => {
    const address = mysqlUrl(values);
    const { 'mysql-table': table } = values;
    return databaseQueue('mysql', address, values, (url) => mysqlTable(url, table), table ?? 'gearman_queue');
  },
  postgres: (values) => {
    const { 'libpq-conninfo': conninfo, 'libpq-table': table, 'pg-url': url } = values;
    if (url !== undefined) {
      if (conninfo !== undefined) {
        throw new UsageFailure('--pg-url and --libpq-conninfo: choose one; import brings jobs of a queue of gearmand');
      }
      return { storage: shared(url, values) };
    }
    if (conninfo === undefined) {
      throw new UsageFailure(
        "--queue-type Postgres needs --libpq-conninfo: the database of gearmand's queue; " +
          'or --pg-url URL: a database that job servers share',
      );
    }
    const address = conninfoUrl(conninfo);
    return databaseQueue('postgres', address, values, (url) => postgresTable(url, table), table ?? 'queue');
  },
};

/** Queue types of gearmand, also of older versions, that we do not have. */
const FOREIGN_QUEUES = [
  ...['sqlite', 'libmemcached', 'memcached', 'libpq', 'redis'],
  ...['libdrizzle', 'drizzle', 'libtokyocabinet', 'tokyocabinet'],
];

/** The settings of gearmand's queues that have a meaning here, for each queue type. */
const MEANT: Readonly<Record<string, RegExp>> = {
  libsqlite3: /^libsqlite3-|^store-queue/,
  mysql: /^mysql-/,
  postgres: /^libpq-/,
};

/**
 * Reads `--queue-type` and its settings.
 *
 * @throws UsageFailure for a queue that we do not have: going on without it would lose jobs.
 */
export function queueFrom(values: JobServerValues): QueueChoice {
  const name = values['queue-type'] ?? 'builtin';
  const choose = Object.hasOwn(QUEUES, name.toLowerCase()) ? QUEUES[name.toLowerCase()] : undefined;
  if (!choose) throw noSuchQueue(name);
  const choice = choose(values);
  if (choice.storage?.type !== 'postgres') refuseShared(values);
  if (!choice.storage) refuseUnused(values);
  return choice;
}

/** The names of gearmand's queue settings that were given but have no meaning here. */
export function unusedQueueSettings(values: JobServerValues): string[] {
  const meant = MEANT[(values['queue-type'] ?? '').toLowerCase()];
  const given = (Object.keys(QUEUE_PLUGINS) as (keyof typeof QUEUE_PLUGINS)[]).filter((name) => values[name]);
  return given.filter((name) => !meant?.test(name));
}

function noSuchQueue(name: string): UsageFailure {
  const isForeign = FOREIGN_QUEUES.includes(name.toLowerCase());
  return new UsageFailure(
    `there is no queue type ${name}${isForeign ? ' here, as gearmand has' : ''}: ` +
      'use --queue-type file --queue-path DIR to keep background jobs on disk, ' +
      'or --queue-type builtin to keep them in memory' +
      (isForeign ? '; let gearmand’s workers empty its queue first' : ''),
  );
}

/** The storage in a database that several job servers share. */
function shared(url: string, values: JobServerValues): StorageOptions {
  const { 'pg-schema': schema, 'pg-name': name, 'pg-patience': patience, advertise: address } = values;
  const { 'pg-query-timeout': queryTimeout, 'pg-lease-time': leaseTime } = values;
  if (address !== undefined) checkAddress(address);
  return {
    type: 'postgres',
    url,
    ...(schema !== undefined && { schema }),
    ...(name !== undefined && { name }),
    ...(patience !== undefined && { patience }),
    ...(queryTimeout !== undefined && { queryTimeout }),
    ...(leaseTime !== undefined && { leaseTime }),
    ...(address !== undefined && { address }),
  };
}

function checkAddress(address: string): void {
  try {
    parseAddress(address);
  } catch (error) {
    throw new UsageFailure(`--advertise: ${(error as Error).message}`);
  }
}

function fileQueue(values: JobServerValues): QueueChoice {
  const path = queuePathOf(values);
  if (path === undefined) throw new UsageFailure('--queue-type file needs --queue-path DIR: where to keep the jobs');
  return { storage: embedded(path, values) };
}

/** Our own storage in a folder, whichever of gearmand's queues it replaces. */
function embedded(path: string, values: JobServerValues): StorageOptions {
  return { type: 'file', path, durability: values['queue-durability'] ?? values['lmdb-durability'] };
}

/** Options without a meaning if jobs are kept in memory. */
const OF_STORAGE = ['queue-path', 'lmdb-path', 'queue-durability', 'lmdb-durability', 'keep-results'] as const;

/** Options without a meaning if jobs are not kept in a database. */
const OF_DATABASE = [
  'pg-url',
  'pg-schema',
  'pg-name',
  'pg-patience',
  'pg-query-timeout',
  'pg-lease-time',
  'advertise',
] as const;

function refuseShared(values: JobServerValues): void {
  const unused = OF_DATABASE.find((name) => values[name] !== undefined);
  if (unused) throw new UsageFailure(`--${unused} needs --queue-type postgres and --pg-url URL`);
}

function refuseUnused(values: JobServerValues): void {
  const unused = OF_STORAGE.find((name) => values[name] !== undefined);
  const needy = unused ?? (values.policy.length > 0 ? 'policy' : undefined);
  if (needy) throw new UsageFailure(`--${needy} needs --queue-type file: jobs are kept in memory otherwise`);
}

/** The home of Debian's gearmand; its user may write there. */
const HOME = '/var/lib/gearman';

/** The queue in one of gearmand's databases. A database has no folder for our storage, so that is in gearmand's home, named like the table. */
function databaseQueue(
  kind: string,
  address: URL,
  values: JobServerValues,
  open: (url: string) => GearmandTable,
  table: string,
): QueueChoice {
  const { hostname, port, pathname } = address;
  const place = `${kind}-${hostname}-${port}${pathname}-${table}`.replace(/[^\w.-]+/g, '-');
  const former = {
    name: `${kind}://${hostname}${port && `:${port}`}${pathname}, table ${table}`,
    table: () => open(address.href),
  };
  return { storage: embedded(queuePathOf(values) ?? `${HOME}/${place}.jobs`, values), former };
}

/** The sockets of a local MySQL or MariaDB; libmysql uses them for `localhost`. */
const MYSQL_SOCKETS = ['/run/mysqld/mysqld.sock', '/var/lib/mysql/mysql.sock', '/tmp/mysql.sock'];

function mysqlUrl(values: JobServerValues): URL {
  const { 'mysql-db': database, 'mysql-user': user, 'mysql-password': password } = values;
  const { 'mysql-host': host = 'localhost', 'mysql-port': port } = values;
  if (database === undefined) throw new UsageFailure('--queue-type MySQL needs --mysql-db NAME: the queue’s database');
  const url = URL.canParse(`mysql://${host}`) ? new URL(`mysql://${host}`) : undefined;
  if (!url?.hostname) throw new UsageFailure(`--mysql-host: ${notAllowed(host, 'a host name')}`);
  url.pathname = `/${encodeURIComponent(database)}`;
  if (port !== undefined) url.port = port;
  if (port !== undefined && url.port === '') throw new UsageFailure(`--mysql-port: ${notAllowed(port, 'a port')}`);
  if (user !== undefined) url.username = encodeURIComponent(user);
  if (password !== undefined) url.password = encodeURIComponent(password);
  const socket = MYSQL_SOCKETS.find((path) => existsSync(path));
  if (host === 'localhost' && socket !== undefined) url.searchParams.set('socketPath', socket);
  return url;
}
