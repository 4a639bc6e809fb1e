import 'reflect-metadata';
import { describe, expect, it } from '@jest/globals';
import { Ctx, Payload } from '@nestjs/microservices';
import {
  defineFunction,
  GearmanClient,
  GearmanContext,
  GearmanEvent,
  GearmanFunction,
  GearmanRecord,
  GEARMAN_TRANSPORT,
} from 'nestjs-gearman';
import { of, type Observable } from 'rxjs';

interface Order {
  id: number;
}

const price = defineFunction<Order, number>('price', { format: 'json' });

/** All of this is checked by the compiler; what must not compile is marked. */
class Handlers {
  @GearmanFunction(price)
  plain(order: Order): number {
    return order.id;
  }

  @GearmanFunction(price, { concurrency: 2 })
  async asynchronous(@Payload() order: Order, @Ctx() _context: GearmanContext): Promise<number> {
    return order.id;
  }

  @GearmanFunction(price)
  stream({ id }: { id: number | string }): Observable<number> {
    return of(Number(id));
  }

  @GearmanEvent(price)
  event(_order: Order): void {}

  @GearmanEvent('other', { timeout: 5 })
  other(): void {}

  // @ts-expect-error the payload is no Order
  @GearmanFunction(price)
  wrongPayload(order: string): number {
    return order.length;
  }

  // @ts-expect-error the result is no number
  @GearmanFunction(price)
  async wrongResult(_order: Order): Promise<string> {
    return 'much';
  }

  // @ts-expect-error the event's payload is no Order
  @GearmanEvent(price)
  wrongEvent(_order: string): void {}
}

/** Never called: the compiler reads it. */
function callers(client: GearmanClient): void {
  const result: Observable<number> = client.send(price, { id: 1 });
  const recorded: Observable<number> = client.send(price, new GearmanRecord({ id: 1 }, { priority: 'high' }));
  const untyped: Observable<string> = client.send<string>('anything', 1);
  // @ts-expect-error the data is no Order
  client.send(price, { name: 'x' });
  // @ts-expect-error the record's data is no Order
  client.send(price, new GearmanRecord('x'));
  // @ts-expect-error the result is no string
  const wrong: Observable<string> = client.send(price, { id: 1 });
  void [result, recorded, untyped, wrong];
}

describe('a contract', () => {
  it('gives a handler its name, its transport and its format, and the options beside them', () => {
    const metadata = (key: string, method: keyof Handlers) =>
      Reflect.getMetadata(`microservices:${key}`, Handlers.prototype[method]) as unknown;
    expect(metadata('pattern', 'asynchronous')).toEqual(['price']);
    expect(metadata('transport', 'asynchronous')).toBe(GEARMAN_TRANSPORT);
    expect(metadata('pattern_extras', 'asynchronous')).toEqual({ format: 'json', concurrency: 2 });
    expect(metadata('pattern_extras', 'other')).toEqual({ timeout: 5 });
    expect(metadata('handler_type', 'event')).not.toBe(metadata('handler_type', 'plain'));
    expect(callers).toHaveLength(1);
  });

  it.each([GearmanFunction, GearmanEvent])('and a handler of %p have no option that is misspelt', (decorator) => {
    // @ts-expect-error no such option
    expect(() => decorator(price, { concurency: 2 })).toThrow(
      'concurency: is no option of the function "price"; did you mean concurrency? there are concurrency, format, timeout',
    );
  });
});
