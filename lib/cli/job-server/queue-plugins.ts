import { toggle, valued, type OptionTable, type Valued } from '../options/option.js';
import { text } from '../options/values.js';

/** The settings of gearmand's queues; each has a meaning only together with its queue, as in gearmand. */
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
