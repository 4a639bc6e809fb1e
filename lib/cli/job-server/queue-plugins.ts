import { UsageFailure } from '../failure.js';
import { toggle, valued, type OptionTable, type Valued } from '../options/option.js';
import { text } from '../options/values.js';

/** gearmand's queue types, and of former times, that there are none of here. */
const FOREIGN_QUEUES = [
  ...['libsqlite3', 'sqlite', 'libmemcached', 'memcached', 'postgres', 'libpq', 'redis', 'mysql'],
  ...['libdrizzle', 'drizzle', 'libtokyocabinet', 'tokyocabinet'],
];

const OWN_QUEUES = ['builtin', 'lmdb'] as const;

/** Where background jobs are kept. */
export type QueueType = (typeof OWN_QUEUES)[number];

/**
 * Reads `--queue-type`.
 *
 * @throws UsageFailure for a type there is none of here: going on without it would lose jobs.
 */
export function queueType(name: string): QueueType {
  const own = OWN_QUEUES.find((type) => type === name.toLowerCase());
  if (own) return own;
  const isForeign = FOREIGN_QUEUES.includes(name.toLowerCase());
  throw new UsageFailure(
    `there is no queue type ${name}${isForeign ? ' here, as gearmand has' : ''}: ` +
      'use --queue-type lmdb --lmdb-path DIR to keep background jobs on disk, ' +
      'or --queue-type builtin to keep them in memory' +
      (isForeign ? '; `nestjs-gearman import` moves the jobs of gearmand’s SQLite, MySQL and PostgreSQL queues' : ''),
  );
}

/** The settings of gearmand's queues; without their queue they mean nothing there either. */
export const QUEUE_PLUGINS = {
  ...settings('libmemcached-servers', 'libmemcached-prefix', 'libsqlite3-db', 'libsqlite3-table'),
  'store-queue-on-shutdown': toggle(''),
  ...settings('libpq-conninfo', 'libpq-table', 'redis-server', 'redis-port', 'redis-password', 'redis-prefix'),
  ...settings('mysql-host', 'mysql-port', 'mysql-user', 'mysql-password', 'mysql-db', 'mysql-table'),
} satisfies OptionTable;

function settings<const Names extends string[]>(...names: Names): Record<Names[number], Valued<string, false>> {
  const setting = valued('', text, { argument: 'VALUE' });
  return Object.fromEntries(names.map((name) => [name, setting])) as Record<Names[number], typeof setting>;
}
