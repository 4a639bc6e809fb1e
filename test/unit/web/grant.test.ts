import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Permission } from '../../../lib/web/access/grant.js';
import { runs } from '../../support/runs.js';

const covers = (pattern: string, name: string): boolean =>
  new Permission({ role: 'read', functions: [pattern] }).covers(name);

/** The same by trying everything, as slow as that is. */
function takes(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern[0] !== '*') return name !== '' && pattern[0] === name[0] && takes(pattern.slice(1), name.slice(1));
  return takes(pattern.slice(1), name) || (name !== '' && takes(pattern, name.slice(1)));
}

describe('a pattern of functions', () => {
  it.each([
    ['mail', 'mail', true],
    ['mail', 'mailer', false],
    ['mail*', 'mail', true],
    ['mail*', 'xmail', false],
    ['*mail', 'xmail', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['a.c', 'abc', false],
    ['a*b*c', 'a\nbc', true],
    ['a*bc*c', 'abc', false],
    ['MAIL', 'mail', false],
  ])('%j covers %j: %j', (pattern, name, isCovered) => {
    expect(covers(pattern, name)).toBe(isCovered);
  });

  it('covers what it says, whatever that is', () => {
    const text = (...letters: string[]) =>
      fc.array(fc.constantFrom(...letters), { maxLength: 9 }).map((all) => all.join(''));
    const property = fc.property(text('a', 'b', '*'), text('a', 'b'), (pattern, name) => {
      expect(covers(pattern, name)).toBe(takes(pattern, name));
    });
    fc.assert(property, runs(500));
  });

  it('is held against a name in no time, however it was made to take long', () => {
    expect(covers('*a'.repeat(40) + '*b', 'a'.repeat(5_000))).toBe(false);
  });
});
