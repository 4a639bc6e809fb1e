import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TransientMap } from '../../../../lib/job-server/engine/transient-map.js';

interface Step {
  readonly key: string;
  readonly isSetting: boolean;
  readonly value: number;
}

/** All that a map answers at these steps, and all that it holds in the end. */
function answersOf(map: TransientMap<number> | Map<string, number>, steps: readonly Step[]): unknown[] {
  const answers: unknown[] = [];
  for (const { key, isSetting, value } of steps) {
    if (isSetting) map.set(key, value);
    else answers.push(map.delete(key));
    answers.push(map.size);
  }
  for (let number = 0; number < 100; number++) answers.push(map.get(`${number}`), map.has(`${number}`));
  const values = map instanceof TransientMap ? map.toArray() : [...map.values()];
  return [...answers, values.sort()];
}

describe('TransientMap', () => {
  it('finds, forgets and lists what a Map would, while entries come and go', () => {
    // Few keys, so that many are set twice, and enough of them that the table grows and shrinks.
    const key = fc.integer({ min: 0, max: 99 }).map(String);
    const step = fc.record({ key, isSetting: fc.boolean(), value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500, size: 'max' }), (steps) => {
        expect(answersOf(new TransientMap(), steps)).toEqual(answersOf(new Map(), steps));
      }),
    );
  });

  it('finds each of very many, and each that is left when most have gone', () => {
    const map = new TransientMap<number>();
    const keys = Array.from({ length: 20_000 }, (_, index) => `H:host:48213377902615${index}`);
    for (const [index, key] of keys.entries()) map.set(key, index);
    for (const [index, key] of keys.entries()) if (index % 100 > 0) map.delete(key);
    for (const [index, key] of keys.entries()) {
      const found = map.get(key);
      if (found !== (index % 100 > 0 ? undefined : index)) throw new Error(`${key} is ${found}`);
    }
    expect(map.size).toBe(200);
    expect(map.get('H:host:482133779026151')).toBeUndefined();
  });

  it('takes the empty text for a key', () => {
    const map = new TransientMap<string>();
    expect(map.get('')).toBeUndefined();
    map.set('', 'value');
    expect(map.get('')).toBe('value');
    expect(map.delete('')).toBe(true);
    expect(map.delete('')).toBe(false);
  });
});
