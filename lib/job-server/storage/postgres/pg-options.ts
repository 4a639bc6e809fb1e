import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import {
  BOOLEAN,
  checkNames,
  checkOption,
  duration,
  InvalidOptionError,
  type OptionRule,
} from '../../../ground/index.js';

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
  /**
   * How long one statement, or connecting, may take before the connection is given up and made anew, in milliseconds,
   * from 100; a long one has a second more for each MB that it sends. Shorter than `leaseTime`, or a connection that hangs
   * costs this job server its leases. Default 3,000.
   */
  readonly queryTimeout?: number;
  /** Whether changes are heard by LISTEN; without, they are seen once a second. Default true. */
  readonly listen?: boolean;
  /** TLS, as the package `pg` takes it: true, or options of `tls.connect`. Default: as the URL says. */
  readonly ssl?: boolean | Readonly<Record<string, unknown>>;
}

/** Options with every default filled in. */
export type CheckedPgOptions = Required<Omit<PgStorageOptions, 'ssl'>> & Pick<PgStorageOptions, 'ssl'>;

const KNOWN = ['type', 'url', 'schema', 'name', 'address', 'patience', 'leaseTime', 'queryTimeout', 'listen', 'ssl'];

const RULES = {
  schema: {
    test: (value) => /^[a-z_][a-z0-9_]{0,47}$/.test(String(value)),
    allowed: '1 to 48 of a to z, 0 to 9 and _, no digit first',
  },
  name: {
    test: (value) => typeof value === 'string' && /^[^\0]{1,200}$/.test(value),
    allowed: 'a text of 1 to 200 characters',
  },
  address: { test: (value) => typeof value === 'string', allowed: 'a text, host:port' },
  patience: duration(),
  leaseTime: duration(500),
  queryTimeout: duration(100),
  listen: BOOLEAN,
} satisfies { readonly [Option in keyof PgStorageOptions]?: OptionRule };

/** Fills in the defaults. @throws InvalidOptionError */
export function checkPgOptions(options: PgStorageOptions): CheckedPgOptions {
  checkNames(options, KNOWN, 'option of the PostgreSQL storage');
  for (const [option, rule] of Object.entries(RULES)) checkOption(option, options[option as keyof typeof RULES], rule);
  const { url, schema = 'gearman', address = '', patience = 30_000, leaseTime = 10_000, listen = true, ssl } = options;
  const { queryTimeout = 3_000 } = options;
  const { name = `${hostname()}:${randomBytes(4).toString('hex')}` } = options;
  if (typeof url !== 'string' || !/^postgres(ql)?:\/\//.test(url)) {
    // What was given is not shown: there may be a password in it.
    throw new InvalidOptionError('url', 'must be an address as postgresql://user:password@host:5432/database');
  }
  return { url, schema, name, address, patience, leaseTime, queryTimeout, listen, ssl };
}

/** The addresses an URL with several hosts stands for, one host each. */
export function addressesIn(url: string): { readonly host: string; readonly address: string }[] {
  const [, start = '', hosts = '', rest = ''] = /^(\w+:\/\/(?:[^@/]*@)?)([^/?]*)(.*)$/s.exec(url) ?? [];
  return hosts.split(',').map((host) => ({ host, address: `${start}${host}${rest}` }));
}

/** A database's address as it may be told: without the password, however badly it is written down. */
export function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:@/]*):.*@/s, '$1@').replaceAll(/([?&][^=&]*password)=[^&]*/gi, '$1=***');
}
