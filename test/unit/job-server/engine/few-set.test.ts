import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { FewSet } from '../../../../lib/job-server/engine/few-set.js';

describe('a FewSet', () => {
  it('holds what a Set holds, in the same order, whatever is added and deleted', () => {
    const change = fc.record({ item: fc.integer({ min: 0, max: 40 }), isAdded: fc.boolean() });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200 }), (changes) => {
        const set = new Set<number>();
        const few = new FewSet<number>();
        for (const { item, isAdded } of changes) {
          if (isAdded) {
            set.add(item);
            few.add(item);
          } else {
            set.delete(item);
            few.delete(item);
          }
          expect([...few]).toEqual([...set]);
          expect(few.size).toBe(set.size);
          expect(few.has(item)).toBe(isAdded);
        }
      }),
    );
  });

  it.each([3, 30])('leaves out what is deleted while %s are walked', (count) => {
    const few = new FewSet<number>();
    for (let item = 0; item < count; item++) few.add(item);
    const walked: number[] = [];
    for (const item of few) {
      walked.push(item);
      few.delete(item + 1);
      few.delete(item);
    }
    expect(walked).toEqual(Array.from({ length: Math.ceil(count / 2) }, (_, index) => index * 2));
    expect(few.size).toBe(0);
  });
});
