import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { StorageError } from '../storage-error.js';

/** How a storage in PostgreSQL is reached, and how it behaves. */
export interface PgStorageOptions {
  /**
   * The database, `postgresql://user:password@host:5432/database`. Several hosts,
   * `host1:5432,host2:5432`, are asked in turn for the one that can be written.
   */
  readonly url: string;
  /** The schema the tables are in, made if it is missing: 1 to 48 of a to z, 0 to 9 and `_`. Default `gearman`. */
  readonly schema?: string;
  /**
   * What this job server is called, unique among those that share the database. One
   * that starts under the name of another takes its jobs over at once, so a name
   * that stays shortens a restart after a crash. Default: the host's name and a
   * random part.
   */
  readonly name?: string;
  /** Where other job servers reach this one, `host:port`. Default: not told. */
  readonly address?: string;
  /** How long a submission may wait for a database that cannot be reached before it is refused, in milliseconds. Default 30,000. */
  readonly patience?: number;
  /** After how long without a sign of life a job server's jobs are given to the others, in milliseconds, from 500. Default 10,000. */
  readonly leaseTime?: number;
  /** Whether changes are heard by LISTEN; without, they are seen once a second. Default true. */
  readonly listen?: boolean;
  /** TLS, as the package `pg` takes it: true, or options of `tls.connect`. Default: as the URL says. */
  readonly ssl?: boolean | Readonly<Record<string, unknown>>;
}

/** Options with every default filled in. */
export type CheckedPgOptions = Required<Omit<PgStorageOptions, 'ssl'>> & Pick<PgStorageOptions, 'ssl'>;

const KNOWN = ['url', 'schema', 'name', 'address', 'patience', 'leaseTime', 'listen', 'ssl', 'type'];

/** Fills in the defaults. Throws a {@link StorageError} naming the option that is invalid. */
export function checkPgOptions(options: PgStorageOptions): CheckedPgOptions {
  const unknown = Object.keys(options).find((name) => !KNOWN.includes(name));
  if (unknown !== undefined) throw invalid(unknown, `no option of it (${KNOWN.slice(0, -1).join(', ')})`);
  const { url, schema = 'gearman', address = '', patience = 30_000, leaseTime = 10_000, listen = true, ssl } = options;
  const { name = `${hostname()}:${randomBytes(4).toString('hex')}` } = options;
  if (typeof url !== 'string' || !/^postgres(ql)?:\/\//.test(url)) {
    throw invalid('url', 'an address as postgresql://user:password@host:5432/database');
  }
  if (!/^[a-z_][a-z0-9_]{0,47}$/.test(schema))
    throw invalid('schema', '1 to 48 of a to z, 0 to 9 and _, no digit first');
  if (typeof name !== 'string' || !/^[^\0]{1,200}$/.test(name)) throw invalid('name', 'a text of 1 to 200 characters');
  if (typeof address !== 'string') throw invalid('address', 'a text, host:port');
  if (!isTime(patience, 0)) throw invalid('patience', 'a whole number of milliseconds from 0');
  if (!isTime(leaseTime, 500)) throw invalid('leaseTime', 'a whole number of milliseconds from 500');
  if (typeof listen !== 'boolean') throw invalid('listen', 'true or false');
  return { url, schema, name, address, patience, leaseTime, listen, ssl };
}

/** The addresses an URL with several hosts stands for, one host each. */
export function addressesIn(url: string): string[] {
  const [, start = '', hosts = '', rest = ''] = /^(\w+:\/\/(?:[^@/]*@)?)([^/?]*)(.*)$/s.exec(url) ?? [];
  return hosts.split(',').map((host) => `${start}${host}${rest}`);
}

/** A database's address as it may be told: without the password. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:@/]*):[^@/]*@/, '$1@');
}

function isTime(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least && (value as number) < 2 ** 31;
}

function invalid(option: string, allowed: string): StorageError {
  return new StorageError('GEARMAN_STORAGE_INVALID', `the PostgreSQL storage's option ${option} is to be ${allowed}`);
}
