import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { JobList, type Linked } from '../../../../lib/job-server/engine/job-list.js';

class Item implements Linked<Item> {
  previous: Item | undefined;
  next: Item | undefined;

  constructor(public sequence: number) {}
}

describe('JobList', () => {
  it('keeps its order, whatever is pushed, taken out and put back', () => {
    const steps = fc.array(fc.oneof(fc.constant('push' as const), fc.nat(100)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (script) => {
        const list = new JobList<Item>();
        const inside: Item[] = [];
        const outside: Item[] = [];
        let sequence = 0;
        for (const step of script) {
          if (step === 'push') {
            const item = new Item(++sequence);
            list.push(item);
            inside.push(item);
          } else if (step % 2 === 0 && inside.length > 0) {
            const [item] = inside.splice(step % inside.length, 1);
            list.remove(item!);
            expect([item!.previous, item!.next]).toEqual([undefined, undefined]);
            outside.push(item!);
          } else if (outside.length > 0) {
            const [item] = outside.splice(step % outside.length, 1);
            list.insert(item!);
            inside.push(item!);
            inside.sort((one, other) => one.sequence - other.sequence);
          }
          expect([...list]).toEqual(inside);
          expect(list.head).toBe(inside[0]);
          expect(list.length).toBe(inside.length);
        }
      }),
    );
  });
});
