import { describe, expect, it } from '@jest/globals';
import {
  addressesIn,
  checkPgOptions,
  withoutPassword,
  type PgStorageOptions,
} from '../../../../../lib/job-server/storage/postgres/pg-options.js';

const URL_ = 'postgresql://gear:secret@db:5432/jobs';

describe('the options of a storage in PostgreSQL', () => {
  it('have defaults, and a name of this process', () => {
    const times = { patience: 30_000, leaseTime: 10_000, queryTimeout: 3_000 };
    expect(checkPgOptions({ url: URL_ })).toMatchObject({ schema: 'gearman', ...times });
    expect(checkPgOptions({ url: URL_ }).name).not.toBe(checkPgOptions({ url: URL_ }).name);
  });

  it.each<[Partial<Record<keyof PgStorageOptions | 'urll', unknown>>, string]>([
    [{ url: 'mysql://x' }, 'url'],
    [{ schema: 'a"; DROP TABLE x' }, 'schema'],
    [{ schema: '1a' }, 'schema'],
    [{ name: '' }, 'name'],
    [{ patience: -1 }, 'patience'],
    [{ leaseTime: 499 }, 'leaseTime'],
    [{ queryTimeout: 99 }, 'queryTimeout'],
    [{ listen: 'yes' }, 'listen'],
    [{ urll: URL_ }, 'urll'],
  ])('are refused by name: %j', (options, name) => {
    const check = (): unknown => checkPgOptions({ url: URL_, ...options } as PgStorageOptions);
    expect(check).toThrow(expect.objectContaining({ code: 'GEARMAN_INVALID_OPTION', option: name }));
    expect(check).not.toThrow(/secret/);
  });

  it('take several hosts', () => {
    expect(addressesIn('postgresql://u:p@one:1,two/db?a=b')).toEqual([
      { host: 'one:1', address: 'postgresql://u:p@one:1/db?a=b' },
      { host: 'two', address: 'postgresql://u:p@two/db?a=b' },
    ]);
    expect(addressesIn('postgres://h/db')).toEqual([{ host: 'h', address: 'postgres://h/db' }]);
  });

  it.each([
    [URL_, 'postgresql://gear@db:5432/jobs'],
    ['postgresql://gear:se@cr/e?t@db/jobs', 'postgresql://gear@db/jobs'],
    ['postgresql://gear@db/jobs?password=secret&a=b', 'postgresql://gear@db/jobs?password=***&a=b'],
    ['postgresql:///jobs?a=b&sslpassword=secret', 'postgresql:///jobs?a=b&sslpassword=***'],
  ])('are told without the password: %s', (url, told) => {
    expect(withoutPassword(url)).toBe(told);
  });
});
