import 'reflect-metadata';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import { GearmanContext, GearmanRecord, type GearmanClient } from 'nestjs-gearman';
import {
  concat,
  concatMap,
  delay,
  EMPTY,
  firstValueFrom,
  from,
  lastValueFrom,
  map,
  materialize,
  of,
  range,
  Subject,
  tap,
  throwError,
  timer,
  toArray,
  type Observable,
} from 'rxjs';
import { describeJobServers } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { until } from '../../support/until.js';

/** How many chunks a flood has. */
const FLOOD = 80;

/** What the handler `live` returns: the test holds its other end. */
let live: Subject<unknown>;

@Controller()
class Streams {
  @MessagePattern('at-once')
  atOnce(@Payload() values: unknown[]): Observable<unknown> {
    return from(values);
  }

  @MessagePattern('one-by-one')
  async oneByOne(@Payload() values: unknown[]): Promise<Observable<unknown>> {
    return from(values).pipe(concatMap((value) => timer(2).pipe(concatMap(() => of(value)))));
  }

  @MessagePattern('late-end')
  lateEnd(@Payload() values: unknown[]): Observable<unknown> {
    return concat(from(values), timer(5).pipe(concatMap(() => EMPTY)));
  }

  @MessagePattern('text', { format: 'text' })
  text(@Payload() texts: string): Observable<string> {
    return from(texts.split('|'));
  }

  @MessagePattern('then-fails')
  thenFails(): Observable<number> {
    return concat(
      of(1, 2).pipe(delay(2)),
      throwError(() => new RpcException('enough')),
    );
  }

  @MessagePattern('by-context')
  async byContext(@Ctx() context: GearmanContext): Promise<string> {
    context.data({ part: 1 });
    await Promise.resolve();
    context.data({ part: 2 });
    return 'whole';
  }

  @MessagePattern('flood', { format: 'raw' })
  flood(@Payload() chunk: Buffer): Observable<Buffer> {
    return range(0, FLOOD).pipe(map(() => chunk));
  }

  @MessagePattern('patient', { format: 'raw' })
  async patient(@Payload() chunk: Buffer, @Ctx() context: GearmanContext): Promise<void> {
    for (let part = 0; part < FLOOD; part++) {
      context.data(chunk);
      await context.drained();
    }
  }

  @MessagePattern('live')
  live(): Observable<unknown> {
    return live;
  }
}

describeJobServers('a stream', (servers) => {
  let client: GearmanClient;
  const collect = (pattern: string, data: unknown): Promise<unknown> =>
    lastValueFrom(client.send(pattern, data).pipe(toArray()));

  beforeAll(async () => {
    await serve({ servers: servers(), controllers: [Streams] });
    client = clientOf({ servers: servers() });
  });

  describe.each(['at-once', 'one-by-one', 'late-end'])('that emits %s', (pattern) => {
    it.each([[[]], [[1]], [[1, 2, 3]], [[null, 0, '', false]], [[[]]]])(
      'reaches the caller as it was: %p',
      async (values) => {
        await expect(collect(pattern, values)).resolves.toEqual(values);
      },
    );
  });

  it('keeps values of zero bytes, the last one too', async () => {
    for (const text of ['a|b', 'a|', '|', '|a', '||']) {
      await expect(collect('text', new GearmanRecord(text, { format: 'text' }))).resolves.toEqual(text.split('|'));
    }
  });

  it('keeps what came before it failed', async () => {
    const notifications = await lastValueFrom(client.send('then-fails', 0).pipe(materialize(), toArray()));
    expect(notifications).toMatchObject([
      { kind: 'N', value: 1 },
      { kind: 'N', value: 2 },
      { kind: 'E', error: { status: 'error', message: 'enough' } },
    ]);
  });

  it('is also what a handler sends by its context', async () => {
    await expect(collect('by-context', 0)).resolves.toEqual([{ part: 1 }, { part: 2 }, 'whole']);
  });

  it.each(['flood', 'patient'])('may be larger than what may wait to be sent: %s', async (pattern) => {
    const chunk = Buffer.alloc(64 * 1024, 'x');
    await serve({ servers: servers(), controllers: [Streams], prefix: 'tight.', maxSendBufferBytes: 1024 * 1024 });
    const tight = clientOf({ servers: servers(), prefix: 'tight.', format: 'raw' });
    const sizes = tight.send<Buffer>(pattern, chunk).pipe(map(({ length }) => length));
    await expect(lastValueFrom(sizes.pipe(toArray()))).resolves.toEqual(Array(FLOOD).fill(chunk.length));
  });

  it('flows: each value is there before the next is made', async () => {
    live = new Subject();
    const heard: unknown[] = [];
    const end = lastValueFrom(client.send('live', 0).pipe(tap((value) => heard.push(value))));
    await until('the handler listens', () => live.observed);
    for (const value of [1, 2, 3]) {
      live.next(value);
      await until(`the caller has heard ${value}`, () => heard.length === value);
    }
    live.next(4);
    live.complete();
    await expect(end).resolves.toBe(4);
  });

  it('goes on without a caller who has heard enough', async () => {
    live = new Subject();
    const first = firstValueFrom(client.send('live', 0));
    await until('the handler listens', () => live.observed);
    live.next(1);
    await expect(first).resolves.toBe(1);
    // A job that was submitted later is answered: whatever its caller's leaving did, it has done.
    await collect('at-once', [2]);
    expect(live.observed).toBe(true);
    live.complete();
  });
});
