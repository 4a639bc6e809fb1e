import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Fifo } from '../../../lib/driver/fifo.js';

/** What a Fifo does, done by an array. */
type Step =
  | { do: 'push'; value: number }
  | { do: 'shift' | 'peek' | 'takeAll' }
  | { do: 'take'; value: number }
  | { do: 'prepend'; values: number[] };

const value = fc.integer({ min: 1, max: 9 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('push' as const), value }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('shift' as const, 'peek' as const) }) },
  fc.record({ do: fc.constant('takeAll' as const) }),
  fc.record({ do: fc.constant('take' as const), value }),
  fc.record({ do: fc.constant('prepend' as const), values: fc.array(value) }),
);

function both(fifo: Fifo<number>, array: number[], { ...step }: Step): [unknown, unknown] {
  switch (step.do) {
    case 'push':
      return [fifo.push(step.value), void array.push(step.value)];
    case 'shift':
      return [fifo.shift(), array.shift()];
    case 'peek':
      return [fifo.peek(), array[0]];
    case 'takeAll':
      return [fifo.takeAll(), array.splice(0)];
    case 'prepend':
      return [fifo.prepend(step.values), void array.unshift(...step.values)];
    case 'take': {
      const index = array.indexOf(step.value);
      return [fifo.take((item) => item === step.value), index < 0 ? undefined : array.splice(index, 1)[0]];
    }
  }
}

it('a Fifo behaves as an array does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const fifo = new Fifo<number>();
      const array: number[] = [];
      for (const each of steps) {
        const [actual, expected] = both(fifo, array, each);
        expect(actual).toEqual(expected);
        expect(fifo.length).toBe(array.length);
      }
    }),
  );
});

it('a long Fifo lets go of what was taken, and keeps the order', () => {
  const fifo = new Fifo<number>();
  for (let index = 0; index < 10_000; index++) fifo.push(index);
  const numbers = Array.from({ length: 9_999 }, (_, index) => index);
  expect(numbers.map(() => fifo.shift())).toEqual(numbers);
  fifo.push(10_000);
  expect([fifo.shift(), fifo.shift(), fifo.shift()]).toEqual([9_999, 10_000, undefined]);
});

it('of many items that are put back one by one none moves the others', async () => {
  const fifo = new Fifo<number>();
  const numbers = Array.from({ length: 50_000 }, (_, index) => index);
  for (const number of numbers) fifo.push(number);
  for (const number of numbers) {
    fifo.prepend([fifo.shift()!]);
    if (fifo.shift() !== number) throw new Error(`${number} was not the next one`);
    // Jest looks at the clock then: if they were moved, this would take a minute.
    if (number % 1_000 === 0) await nextTurn();
  }
});
