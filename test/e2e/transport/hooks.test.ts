import 'reflect-metadata';
import { AsyncLocalStorage } from 'node:async_hooks';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, RpcException, type ReadPacket } from '@nestjs/microservices';
import {
  GEARMAN_TRANSPORT,
  GearmanContext,
  GearmanRecord,
  JobWorker,
  type GearmanClient,
  type GearmanClientOptions,
} from 'nestjs-gearman';
import { concatMap, firstValueFrom, from, lastValueFrom, timer, toArray, type Observable } from 'rxjs';
import { atEnd } from '../../support/cleanup.js';
import { describeJobServers } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { until } from '../../support/until.js';

/** What an instrumentation keeps beside the code that runs. */
const trace = new AsyncLocalStorage<string | undefined>();
/** The client of the handler `relay`: every controller has one, these are all of them. */
const clients: GearmanClient[] = [];

@Controller()
class Traced {
  @MessagePattern('traced')
  traced(@Ctx() context: GearmanContext): unknown {
    return { trace: trace.getStore() ?? null, metadata: context.getMetadata() ?? null };
  }

  @MessagePattern('relay')
  relay(): Observable<unknown> {
    return clients.at(-1)!.send('traced', {});
  }

  @MessagePattern('streams')
  streams(): Observable<number> {
    return from([1, 2, 3]).pipe(concatMap((value) => timer(2).pipe(concatMap(() => [value]))));
  }

  @MessagePattern('fails')
  fails(): never {
    throw new RpcException('no');
  }

  @EventPattern<string>('event')
  event(): Observable<number> {
    return timer(5);
  }

  @EventPattern<string>('event')
  failingEvent(): never {
    throw new RpcException('no');
  }
}

/** What the processing hooks were called with. */
const hooked: string[] = [];

describeJobServers("Nest's hooks", (servers) => {
  const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

  /** A client whose dispatch hook attaches the trace that it is called in, as an instrumentation's does. */
  function tracing(options: GearmanClientOptions): GearmanClient {
    const client = clientOf({ servers: servers(), ...options });
    client.setOnDispatchHook((packet: ReadPacket) => {
      const traceparent = trace.getStore();
      if (traceparent !== undefined) packet.metadata = { traceparent };
    });
    return client;
  }

  beforeAll(async () => {
    const { strategy } = await serve({ servers: servers(), controllers: [Traced] });
    strategy.setOnProcessingStartHook((transportId, context, done) => {
      expect(transportId).toBe(GEARMAN_TRANSPORT);
      const { getPattern } = context as GearmanContext;
      hooked.push(`start ${getPattern.call(context)}`);
      // Returns nothing, as an instrumentation may.
      void trace.run((context as GearmanContext).getMetadata()?.['traceparent'], done);
    });
    strategy.setOnProcessingEndHook((_transportId, context) => {
      hooked.push(`end ${(context as GearmanContext).getPattern()}`);
    });
    clients.push(tracing({ metadata: true }));
  });
  beforeEach(() => {
    hooked.length = 0;
  });

  it('carry a trace from hop to hop where the client sends metadata', async () => {
    const client = tracing({ metadata: true });
    const answer = trace.run(TRACEPARENT, () => firstValueFrom(client.send('relay', {})));
    await expect(answer).resolves.toEqual({ trace: TRACEPARENT, metadata: { traceparent: TRACEPARENT } });
    expect(hooked.sort()).toEqual(['end relay', 'end traced', 'start relay', 'start traced']);
  });

  it('carry nothing where the client is told not to', async () => {
    const client = tracing({ metadata: false });
    const answer = trace.run(TRACEPARENT, () => firstValueFrom(client.send('traced', {})));
    await expect(answer).resolves.toEqual({ trace: null, metadata: null });
  });

  it('are called for `submit` and `emit` too', async () => {
    const client = tracing({ metadata: true });
    await trace.run(TRACEPARENT, async () => {
      await expect((await client.submit('traced', {})).result()).resolves.toMatchObject({ trace: TRACEPARENT });
      await firstValueFrom(client.emit('event', {}));
    });
    await until('the event has ended', () => hooked.includes('end event'));
  });

  it.each([
    ['a result', 'traced'],
    ['a stream', 'streams'],
    ['a failure', 'fails'],
    ['events, one of which fails', 'event'],
  ])('are called once at each end of %s', async (_, pattern) => {
    const client = tracing({});
    const end = lastValueFrom(client.send(pattern, {}).pipe(toArray()));
    await Promise.allSettled([end]);
    await until('it has ended', () => hooked.length >= 2);
    expect(hooked).toEqual([`start ${pattern}`, `end ${pattern}`]);
  });
});

describeJobServers('metadata', (servers) => {
  beforeAll(async () => {
    await serve({ servers: servers(), controllers: [Traced] });
    const worker = new JobWorker({ servers: servers() });
    atEnd(() => worker.close());
    worker.register('bytes', ({ workload }) => workload);
    await worker.start();
  });

  const ask = (client: GearmanClient, pattern: string, record: unknown): Promise<unknown> =>
    firstValueFrom(client.send(pattern, record));

  describe('of a record', () => {
    it('reaches the handler, before what the hook says', async () => {
      const client = clientOf({ servers: servers(), metadata: true });
      client.setOnDispatchHook((packet) => (packet.metadata = { tenant: 'hook', trace: 'hook' }));
      const record = new GearmanRecord({}, { metadata: { tenant: 'record' } });
      await expect(ask(client, 'traced', record)).resolves.toMatchObject({
        metadata: { tenant: 'record', trace: 'hook' },
      });
    });

    it('is refused where the client may not send it', async () => {
      const record = new GearmanRecord({}, { metadata: { tenant: 'a' } });
      await expect(ask(clientOf({ servers: servers(), metadata: false }), 'traced', record)).rejects.toMatchObject({
        code: 'GEARMAN_INVALID_OPTION',
        option: 'metadata',
      });
    });
  });

  describe('of the dispatch hook', () => {
    const hooked = (metadata: unknown, options: GearmanClientOptions = { metadata: true }): GearmanClient => {
      const client = clientOf({ servers: servers(), ...options });
      client.setOnDispatchHook((packet) => (packet.metadata = metadata as Record<string, string>));
      return client;
    };

    it.each<[unknown]>([[{ retries: 3 }], [{ nested: { a: 'b' } }], [{ nothing: null }], ['text'], [['list']]])(
      'is refused where it is not texts by their names: %p',
      async (metadata) => {
        await expect(ask(hooked(metadata), 'traced', {})).rejects.toMatchObject({
          code: 'GEARMAN_INVALID_OPTION',
          option: 'metadata',
          message: expect.stringContaining('dispatch hook'),
        });
      },
    );

    it('may name what it does not have', async () => {
      const metadata = { tenant: 'a', traceparent: undefined };
      await expect(ask(hooked(metadata), 'traced', {})).resolves.toMatchObject({ metadata: { tenant: 'a' } });
    });

    it('is nothing to a client that may not send it, whatever it is', async () => {
      await expect(ask(hooked({ retries: 3 }, { metadata: false }), 'traced', {})).resolves.toMatchObject({
        metadata: null,
      });
    });
  });

  it('is no part of the workload that a worker gets', async () => {
    const raw = { servers: servers(), format: 'raw' as const };
    const bytes = Buffer.from([0, 1, 2]);
    for (const options of [{}, { metadata: true }, { metadata: false }]) {
      const client = clientOf({ ...raw, ...options });
      client.setOnDispatchHook((packet) => (packet.metadata = { a: 'b' }));
      await expect(ask(client, 'bytes', bytes)).resolves.toEqual(bytes);
    }
  });
});
