import { describe, expect, it } from '@jest/globals';
import {
  GearmanStrategy,
  defineFunction,
  type GearmanHandlerOptions,
  type GearmanStrategyOptions,
} from 'nestjs-gearman';
import type { MessageHandler } from '@nestjs/microservices';

const handler = (): MessageHandler => async () => 'done';

/** What `listen` calls back with, of a strategy that no job server answers. */
function listenTo(strategy: GearmanStrategy): Promise<unknown> {
  return new Promise((resolve) => strategy.listen(resolve));
}

const unreachable: GearmanStrategyOptions = {
  servers: {
    name: 'nowhere',
    connect: () => {
      throw new Error('nobody there');
    },
  },
  connectTimeout: 1,
};

/** A strategy with these handlers: a pattern, whether it is an event's, its extras. */
function strategyWith(...handlers: [unknown, boolean?, GearmanHandlerOptions?][]): GearmanStrategy {
  const strategy = new GearmanStrategy(unreachable);
  for (const [pattern, isEvent, extras] of handlers) {
    strategy.addHandler(pattern, handler(), isEvent, { ...extras });
  }
  return strategy;
}

describe('handlers that do not fit', () => {
  it.each<[string, GearmanStrategy, RegExp]>([
    ['two message handlers', strategyWith(['f'], ['f']), /function "f" has two message handlers/],
    ['a message and an event handler', strategyWith(['f'], ['f', true]), /function "f" has both message and event/],
    ['an event and a message handler', strategyWith(['f', true], ['f']), /function "f" has both message and event/],
    ['two spellings of one object', strategyWith([{ a: 1, b: 2 }], [{ b: 2, a: 1 }]), /two message handlers/],
    ['a pattern and a contract of one name', strategyWith(['f'], [defineFunction('f')]), /two message handlers/],
  ])('are refused when the application starts: %s', async (_, strategy, message) => {
    const error = await listenTo(strategy);
    expect(error).toMatchObject({ code: 'GEARMAN_DUPLICATE_PATTERN', message: expect.stringMatching(message) });
  });

  it.each<[string, GearmanStrategy, RegExp]>([
    [
      'concurrency',
      strategyWith(['f', false, { concurrency: 0 }]),
      /concurrency: .*from 1, not 0 .of the function "f"/,
    ],
    ['timeout', strategyWith(['f', false, { timeout: -5 }]), /timeout: .*milliseconds.*of the function "f"/],
    [
      'format',
      strategyWith(['f', false, { format: 'xml' as 'text' }]),
      /format: .*'json', 'text', 'raw'.*of the function "f"/,
    ],
    [
      'concurrency',
      strategyWith(['f', true, { concurrency: 1 }], ['f', true, { concurrency: 2 }]),
      /one handler of the function "f", not on two: 1 and 2/,
    ],
    [
      'concurency',
      strategyWith(['f', false, { concurency: 2 } as GearmanHandlerOptions]),
      /no option of the function "f"; did you mean concurrency\? there are concurrency, format, timeout$/,
    ],
  ])('are refused for an option: %s', async (option, strategy, message) => {
    const error = await listenTo(strategy);
    expect(error).toMatchObject({ code: 'GEARMAN_INVALID_OPTION', option, message: expect.stringMatching(message) });
  });

  it('are told all at once', async () => {
    const error = await listenTo(strategyWith(['f'], ['f'], [/^g/], ['h', false, { timeout: NaN }]));
    expect(error).toMatchObject({ code: 'GEARMAN_DUPLICATE_PATTERN' });
    expect((error as Error).message).toMatch(
      /"f" has two.*\/\^g\/ cannot name a Gearman function.*timeout: .*of the function "h"/,
    );
    expect((error as Error).cause).toMatchObject({ errors: [{}, {}, {}] });
  });
});

describe('handlers that fit', () => {
  it('are any number of event handlers of one function', () => {
    const strategy = strategyWith(['f', true], ['f', true], ['f', true]);
    expect(strategy.health().functions).toBe(1);
  });

  it("may have extras of Nest's other transports beside ours", () => {
    const extras = { qos: 1, queue: 'q', concurrency: 2 };
    expect(strategyWith(['f', false, extras]).health().functions).toBe(1);
  });

  it('are shown by getHandlers() under their routes, with their extras', () => {
    const strategy = strategyWith(['f', false, { concurrency: 3 }], [defineFunction('g', { format: 'text' })]);
    expect([...strategy.getHandlers().keys()]).toEqual(['f', 'g']);
    expect([...strategy.getHandlers().values()].map(({ isEventHandler, extras }) => [isEventHandler, extras])).toEqual([
      [false, { concurrency: 3 }],
      [false, { format: 'text' }],
    ]);
  });
});

describe("the strategy's own options", () => {
  it.each<[string, unknown, RegExp]>([
    ['prefix', 7, /prefix: must be a text without NUL, not 7/],
    ['format', 'yaml', /format: must be 'json', 'text', 'raw' or 'auto', not 'yaml'/],
    ['timeout', '5s', /timeout: must be a whole number of milliseconds/],
    ['gracePeriod', -1, /gracePeriod: must be a whole number of milliseconds/],
    ['serializer', {}, /serializer: must be an object with a method `serialize`/],
    ['deserializer', { serialize() {} }, /deserializer: must be an object with a method `deserialize`/],
  ])('are refused at once where they cannot be: %s = %p', (option, value, message) => {
    expect(() => new GearmanStrategy({ [option]: value })).toThrow(message);
  });
});
