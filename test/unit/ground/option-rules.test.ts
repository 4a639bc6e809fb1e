import { describe, expect, it } from '@jest/globals';
import {
  BOOLEAN,
  checkNames,
  checkOption,
  duration,
  FUNCTION,
  GearmanError,
  InvalidOptionError,
  number,
  oneOf,
  optionOr,
  shown,
  wholeNumber,
} from '../../../lib/ground/index.js';
import {
  StorageError,
  CertificateError,
  ListenError,
  InvalidOptionError as OfTheJobServer,
} from 'nestjs-gearman/job-server';
import { InvalidOptionError as OfTheClient, WorkloadFormatError } from 'nestjs-gearman';
import { BadMagicError } from '../../../lib/protocol/index.js';

describe('an option', () => {
  it.each([
    [wholeNumber(1, 10), 0, 'must be a whole number from 1 to 10, not 0'],
    [wholeNumber(1, 10), 11, 'must be a whole number from 1 to 10, not 11'],
    [wholeNumber(0), 1.5, 'must be a whole number from 0, not 1.5'],
    [wholeNumber(0), '1', "must be a whole number from 0, not '1'"],
    [wholeNumber(0), 2 ** 53, 'must be a whole number from 0, not 9007199254740992'],
    [wholeNumber(1, Infinity, 'jobs'), NaN, 'must be a whole number of jobs from 1, not NaN'],
    [number(0, 1), 1.1, 'must be a number from 0 to 1, not 1.1'],
    [number(0), Infinity, 'must be a number from 0, not Infinity'],
    [number(1, 9, 'milliseconds'), null, 'must be a number of milliseconds from 1 to 9, not null'],
    [duration(), 2_147_483_648, 'must be a whole number of milliseconds from 0 to 2147483647, not 2147483648'],
    [oneOf('a', 'b', 'c'), 'd', "must be 'a', 'b' or 'c', not 'd'"],
    [oneOf('a'), ['a'], 'must be \'a\', not ["a"]'],
    [BOOLEAN, 'yes', "must be true or false, not 'yes'"],
    [FUNCTION, { a: 1 }, 'must be a function, not {"a":1}'],
  ])('%j refuses %p, saying what is allowed and what was given', (rule, value, problem) => {
    const refused = expect.objectContaining({
      code: 'GEARMAN_INVALID_OPTION',
      option: 'some.option',
      message: `some.option: ${problem}`,
    });
    expect(() => checkOption('some.option', value, rule)).toThrow(refused);
  });

  it('has its default where none is given, and no other value is taken for that', () => {
    expect(optionOr<number>('n', undefined, 7, wholeNumber(1))).toBe(7);
    expect(optionOr<number>('n', 1, 7, wholeNumber(1))).toBe(1);
    expect(() => optionOr<number | null>('n', null, 7, wholeNumber(1))).toThrow(
      'n: must be a whole number from 1, not null',
    );
  });

  it('that nobody reads is refused, naming those there are', () => {
    expect(() => checkNames({ a: 1 }, ['a', 'b'], 'option')).not.toThrow();
    expect(() => checkNames({ a: 1, other: undefined }, ['a', 'b'], 'option of the test', 'x.')).toThrow(
      'x.other: is no option of the test; there are a, b',
    );
  });

  it('that nobody reads is told the name that was probably meant', () => {
    expect(() => checkNames({ concurency: 1 }, ['choose', 'concurrency'], 'option')).toThrow(
      'concurency: is no option; did you mean concurrency? there are choose, concurrency',
    );
  });

  it('that is part of another names both', () => {
    const error = InvalidOptionError.notAllowed('path', 1, 'a text').within('storage');
    expect(error).toMatchObject({ option: 'storage.path', message: 'storage.path: must be a text, not 1' });
  });
});

describe('a value in a message', () => {
  const endless: Record<string, unknown> = {};
  endless['self'] = endless;
  it.each([
    ['a', "'a'"],
    [undefined, 'undefined'],
    [10n, '10'],
    [Symbol('s'), 'Symbol(s)'],
    [() => 1, 'a function'],
    [{ big: 1n }, '[object Object]'],
    [endless, '[object Object]'],
    ['x'.repeat(500), `'${'x'.repeat(199)}...`],
  ])('%p is shown', (value, text) => {
    expect(shown(value)).toBe(text);
  });
});

describe('an error', () => {
  it('is a GearmanError, whichever room it comes from, and there is one InvalidOptionError', () => {
    expect(OfTheClient).toBe(InvalidOptionError);
    expect(OfTheJobServer).toBe(InvalidOptionError);
    const errors = [
      new StorageError('GEARMAN_STORAGE_FULL', 'm'),
      new CertificateError('m'),
      new ListenError(Object.assign(new Error('m'), { code: 'EADDRINUSE', address: '::1', port: 1 })),
      new BadMagicError(Buffer.from('HTTP')),
      new WorkloadFormatError('f', 'json', 'a', 'b'),
      new InvalidOptionError('a', 'b'),
    ];
    for (const error of errors) expect(error).toBeInstanceOf(GearmanError);
    expect(errors.map(({ code }) => code)).toEqual([
      'GEARMAN_STORAGE_FULL',
      'GEARMAN_CERTIFICATE',
      'GEARMAN_LISTEN_FAILED',
      'GEARMAN_BAD_MAGIC',
      'GEARMAN_INVALID_WORKLOAD',
      'GEARMAN_INVALID_OPTION',
    ]);
    expect(errors[2]).toMatchObject({ systemCode: 'EADDRINUSE' });
  });
});
