import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TransientMap } from '../../../../lib/job-server/engine/transient-map.js';

describe('TransientMap', () => {
  it('finds, forgets and lists what a Map would, while entries come and go', () => {
    // Few keys, so that many are set twice, and enough of them that the table grows and shrinks.
    const key = fc.integer({ min: 0, max: 99 }).map(String);
    const step = fc.record({ key, isSetting: fc.boolean(), value: fc.nat() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 500, size: 'max' }), (steps) => {
        const map = new TransientMap<number>();
        const model = new Map<string, number>();
        for (const { key, isSetting, value } of steps) {
          if (isSetting) {
            map.set(key, value);
            model.set(key, value);
          } else expect(map.delete(key)).toBe(model.delete(key));
          expect(map.size).toBe(model.size);
        }
        for (let number = 0; number < 100; number++) {
          expect(map.get(String(number))).toBe(model.get(String(number)));
          expect(map.has(String(number))).toBe(model.has(String(number)));
        }
        expect(map.toArray().sort()).toEqual([...model.values()].sort());
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
