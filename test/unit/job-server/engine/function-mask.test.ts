import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FunctionMask } from '../../../../lib/job-server/engine/function-mask.js';

function maskOf(...numbers: number[]): FunctionMask {
  const mask = new FunctionMask();
  for (const number of numbers) mask.add(number);
  return mask;
}

describe('FunctionMask', () => {
  it('holds what was added and not deleted, across words', () => {
    const numbers = [0, 1, 31, 32, 33, 63, 64, 1_000, 99_999];
    const mask = maskOf(...numbers);
    mask.delete(32);
    mask.delete(500_000);
    expect(numbers.filter((number) => mask.has(number))).toEqual([0, 1, 31, 33, 63, 64, 1_000, 99_999]);
    expect([2, 30, 65, 999, 1_001, 100_000, 500_000].filter((number) => mask.has(number))).toEqual([]);
    mask.clear();
    expect(numbers.filter((number) => mask.has(number))).toEqual([]);
  });

  it.each([
    { after: -1, next: 3 },
    { after: 0, next: 3 },
    { after: 3, next: 31 },
    { after: 30, next: 31 },
    { after: 31, next: 32 },
    { after: 32, next: 95 },
    { after: 94, next: 95 },
    { after: 95, next: 3 },
    { after: 5_000, next: 3 },
  ])('finds $next next after $after, beginning again at 0', ({ after, next }) => {
    const one = maskOf(1, 3, 31, 32, 64, 95, 200);
    const other = maskOf(0, 3, 31, 32, 65, 95);
    expect(one.nextInBoth(other, after)).toBe(next);
    expect(other.nextInBoth(one, after)).toBe(next);
  });

  it('finds the only common number again, whichever it was', () => {
    for (const number of [0, 31, 32, 63, 64, 1_000]) {
      expect(maskOf(number, 7).nextInBoth(maskOf(number, 8), number)).toBe(number);
    }
  });

  it('finds nothing where nothing is common', () => {
    expect(maskOf(1, 40).nextInBoth(maskOf(2, 41, 500), 0)).toBe(-1);
    expect(maskOf().nextInBoth(maskOf(), -1)).toBe(-1);
  });

  it('finds what a search through sorted numbers finds', () => {
    const sets = fc.uniqueArray(fc.nat(130), { maxLength: 40 });
    fc.assert(
      fc.property(sets, sets, fc.integer({ min: -1, max: 140 }), (one, other, after) => {
        const common = one.filter((number) => other.includes(number)).sort((a, b) => a - b);
        const expected = common.find((number) => number > after) ?? common[0] ?? -1;
        expect(maskOf(...one).nextInBoth(maskOf(...other), after)).toBe(expected);
        expect([...maskOf(...one).inBoth(maskOf(...other))]).toEqual(common);
      }),
    );
  });
});
