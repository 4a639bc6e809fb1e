import { describe, expect, it } from '@jest/globals';
import { optionalPackage } from '../../../../lib/cli/moving/optional-package.js';
import { databaseUrl, quoted, tableName } from '../../../../lib/cli/moving/sources/database-url.js';

describe('a package that is not installed', () => {
  it('is named, with what it is needed for and how to get it', async () => {
    await expect(optionalPackage('no-such-package', 'reading a queue')).rejects.toThrow(
      'reading a queue needs the package no-such-package, which could not be loaded: npm install no-such-package',
    );
  });
});

describe('the address of a queue', () => {
  it('tells a table from others by host, port and database, not by who reads it', () => {
    const nameOf = (address: string): string => tableName(databaseUrl(address, 'mysql'), '3306', 'queue');
    expect(nameOf('mysql://me:secret@db.local/jobs?ssl=true')).toBe('mysql:db.local:3306/jobs:queue');
    expect(nameOf('mysql://you@db.local:3307/jobs')).toBe('mysql:db.local:3307/jobs:queue');
  });

  it.each(['db.local', 'mysql://db.local', 'mysql://db.local/', 'http://db.local/jobs'])('is not %s', (address) => {
    expect(() => databaseUrl(address, 'mysql')).toThrow(/^the queue's address is mysql:\/\/USER:PASSWORD@HOST/);
  });

  it('shows no password when it is refused', () => {
    expect(() => databaseUrl('pg://me:secret@db.local/jobs', 'postgres')).toThrow(/not "pg:\/\/me:\.\.\.@db\.local/);
  });

  it('has tables whose names cannot end their quotes', () => {
    expect(quoted('jobs', '"')).toBe('"jobs"');
    expect(quoted('public.a"; DROP TABLE b --', '"')).toBe('"public"."a""; DROP TABLE b --"');
    expect(quoted('a`b', '`')).toBe('`a``b`');
  });
});
