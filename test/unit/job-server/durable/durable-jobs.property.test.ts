import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { DurableWorld } from './durable-world.js';
import { runs } from '../../../support/runs.js';

/** What may happen, as a text that says it: a failing run prints the story. */
const small = fc.nat({ max: 7 });
const happenings = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      function: fc.constantFrom('f', 'g'),
      unique: fc.constantFrom('', '', 'u', 'v', '-'),
      priority: fc.constantFrom(0 as const, 1 as const, 2 as const),
      isBackground: fc.boolean(),
      isLater: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
      who: small,
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('answer' as const), which: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refuse' as const), which: small }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('grab' as const), who: small }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('complete' as const, 'fail' as const), which: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('lose' as const, 'leave' as const), who: small }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), which: small }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('setClock' as const),
      by: fc.constantFrom(-259_200_000, -3_600_000, 1_000, 3_600_000, 259_200_000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('wait' as const, 'stop' as const, 'crash' as const) }) },
);

describe('durable jobs, whatever happens in whatever order', () => {
  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance', 'hrtime'] });
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  it('keep every promise: none is lost, none runs after its end, all counts are right in the end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({ isEager: fc.boolean(), isShared: fc.boolean() }),
        fc.integer({ min: 1, max: 3 }),
        fc.array(happenings, { maxLength: 60, size: 'max' }),
        async (storage, window, story) => {
          const world = await DurableWorld.begin(storage, window);
          for (const happening of story) {
            await world.let(happening);
            world.checkNow();
          }
          await world.comeToRest();
          world.checkAtRest();
          expect(world.complaints).toEqual([]);
          await world.end();
        },
      ),
      runs(25),
    );
  });
});
