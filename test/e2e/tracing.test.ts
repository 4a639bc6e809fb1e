import 'reflect-metadata';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, RpcException, type ReadPacket } from '@nestjs/microservices';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  SimpleSpanProcessor,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace-base';
import {
  GearmanContext,
  GearmanRecordBuilder,
  JobWorker,
  type GearmanClient,
  type GearmanClientOptions,
  type TracingOptions,
} from 'nestjs-gearman';
import { JobServer, type JobServerOptions } from 'nestjs-gearman/job-server';
import { firstValueFrom } from 'rxjs';
import { coreOf } from '../../lib/job-server/core-of.js';
import { MemoryStorage } from '../../lib/job-server/storage/index.js';
import { atEnd } from '../support/cleanup.js';
import { startJobServerCommand } from '../support/command.js';
import { startGearmand } from '../support/gearmand.js';
import { clientOf, serve } from '../support/nest-app.js';
import { describeWith } from '../support/peers.js';
import { RawPeer } from '../support/raw-peer.js';
import { until } from '../support/until.js';

/** Copied by name from semantic conventions 1.44, messaging attributes. */
const SEMCONV = [
  'messaging.system',
  'messaging.operation.name',
  'messaging.operation.type',
  'messaging.destination.name',
  'messaging.message.id',
  'messaging.message.body.size',
  'messaging.client.id',
];

const exporter = new InMemorySpanExporter();
let jobServer: JobServer;
let failures = 1;
let broken = false;
const seenMetadata: unknown[] = [];

@Controller()
class Traced {
  @MessagePattern('echo')
  echo(@Ctx() job: GearmanContext): unknown {
    return { metadata: job.getMetadata() ?? null, active: trace.getActiveSpan()?.spanContext().spanId ?? null };
  }

  @MessagePattern('refuses')
  refuses(): never {
    throw new RpcException('no');
  }

  @MessagePattern('breaks')
  breaks(): never {
    throw new Error('a secret');
  }

  @MessagePattern('dies')
  dies(@Ctx() job: GearmanContext): string {
    seenMetadata.push(job.getMetadata());
    if (broken) throw new Error('no');
    return 'mended';
  }

  @MessagePattern('flaky')
  flaky(): string {
    if (failures-- > 0) throw new Error('not yet');
    return 'now';
  }
}

/** Its first run lasts until the test says so. */
@Controller()
class Slow {
  static runs = 0;
  static finish: () => void = () => {};

  @MessagePattern('slow')
  async slow(): Promise<number> {
    const run = ++Slow.runs;
    if (run === 1) await new Promise<void>((resolve) => (Slow.finish = resolve));
    return run;
  }
}

beforeAll(async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  jobServer = new JobServer({
    listeners: [],
    storage: new MemoryStorage(),
    policies: {
      flaky: { retries: 3, backoff: { initialDelay: 0, maxDelay: 0 } },
      dies: { retries: 0, deadLetter: true },
    },
  });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  await serve({ servers: jobServer, controllers: [Traced], clientId: 'worker-1' });
});
beforeEach(() => exporter.reset());
afterEach(() => {
  for (const { attributes } of exporter.getFinishedSpans()) {
    const unknown = Object.keys(attributes).filter((key) => key.startsWith('messaging.') && !SEMCONV.includes(key));
    expect(unknown).toEqual([]);
  }
});

const traced = (options: GearmanClientOptions = {}): GearmanClient => clientOf({ servers: jobServer, ...options });
const ask = (client: GearmanClient, name: string, data: unknown = {}): Promise<unknown> =>
  firstValueFrom(client.send(name, data));
const spansNamed = (name: string): ReadableSpan[] => exporter.getFinishedSpans().filter((span) => span.name === name);

async function spanNamed(name: string): Promise<ReadableSpan> {
  await until(`the span ${name} has ended`, () => spansNamed(name).length > 0);
  return spansNamed(name)[0]!;
}

async function startedJobServer(options: JobServerOptions = {}): Promise<JobServer> {
  const server = new JobServer({ listeners: [], ...options });
  await server.start();
  atEnd(() => server.stop());
  return server;
}

/** How a `process` span belongs to its `submit` span. */
function relation(process: ReadableSpan, submit: ReadableSpan): string {
  const created = submit.spanContext();
  const links = process.links.filter((link) => link.context.spanId === created.spanId);
  expect(links).toHaveLength(1);
  if (process.parentSpanContext?.spanId === created.spanId) return 'child';
  expect(process.parentSpanContext).toBeUndefined();
  expect(process.spanContext().traceId).not.toBe(created.traceId);
  return 'link';
}

describe('spans', () => {
  it('of a send: a submit span until the result, and its child and link around the handler', async () => {
    const { parent, answer } = await trace.getTracer('test').startActiveSpan('request', async (span) => {
      const heard = await ask(traced(), 'echo');
      span.end();
      return { parent: span.spanContext(), answer: heard as { metadata: unknown; active: string } };
    });
    const [submit, process] = [await spanNamed('submit echo'), await spanNamed('process echo')];
    const handle = submit.attributes['messaging.message.id'];
    expect(handle).toMatch(/^H:/);
    expect(submit.parentSpanContext?.spanId).toBe(parent.spanId);
    expect(relation(process, submit)).toBe('child');
    expect([submit.kind, process.kind]).toEqual([SpanKind.PRODUCER, SpanKind.CONSUMER]);
    expect(submit.attributes).toEqual({
      'messaging.system': 'gearman',
      'messaging.operation.name': 'submit',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'echo',
      'messaging.message.id': handle,
      'server.address': expect.any(String),
      'gearman.job.mode': 'foreground',
      'gearman.job.priority': 'normal',
    });
    expect(process.attributes).toEqual({
      'messaging.system': 'gearman',
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'echo',
      'messaging.message.id': handle,
      'messaging.client.id': 'worker-1',
      'server.address': expect.any(String),
      'gearman.job.mode': 'foreground',
      'gearman.job.attempt': 1,
    });
    expect([submit.status.code, process.status.code]).toEqual([SpanStatusCode.UNSET, SpanStatusCode.UNSET]);
    const { traceId, spanId } = submit.spanContext();
    expect(answer).toEqual({
      metadata: { traceparent: `00-${traceId}-${spanId}-01` },
      active: process.spanContext().spanId,
    });
  });

  it.each([
    ['that is due at once', new GearmanRecordBuilder({}).build(), 'child'],
    ['with a time', new GearmanRecordBuilder({}).setDelay(1).build(), 'link'],
  ])('of an emit %s: until its JOB_CREATED, and around the handler', async (_, record, expected) => {
    const { handle } = await firstValueFrom(traced().emit('echo', record));
    const [submit, process] = [await spanNamed('submit echo'), await spanNamed('process echo')];
    expect(submit.attributes).toMatchObject({ 'messaging.message.id': handle, 'gearman.job.mode': 'background' });
    expect(relation(process, submit)).toBe(expected);
  });

  it('of a retry: a trace of its own, that links to the submission', async () => {
    await firstValueFrom(traced().emit('flaky', {}));
    await until('it has run twice', () => spansNamed('process flaky').length === 2);
    const submit = await spanNamed('submit flaky');
    expect(spansNamed('process flaky').map((process) => relation(process, submit))).toEqual(['child', 'link']);
    expect(spansNamed('process flaky').map(({ attributes }) => attributes['gearman.job.attempt'])).toEqual([1, 2]);
  });

  it('of a dead letter that was replayed: a trace of its own, that links to the submission', async () => {
    broken = true;
    const record = new GearmanRecordBuilder({}).setMetadata({ tenant: 'acme' }).build();
    const { handle } = await firstValueFrom(traced().emit('dies', record));
    const isDead = async (): Promise<boolean> => (await coreOf(jobServer).deadLetters!.find(handle)) !== undefined;
    await until('it is dead', isDead);
    broken = false;
    expect(await jobServer.replay(handle)).toBe(true);
    await until('it has run twice', () => spansNamed('process dies').length === 2);
    const submit = await spanNamed('submit dies');
    const [first, second] = spansNamed('process dies');
    expect([relation(first!, submit), relation(second!, submit)]).toEqual(['child', 'link']);
    expect(second!.attributes).toMatchObject({ 'gearman.job.mode': 'background', 'gearman.job.attempt': 1 });
    expect(seenMetadata.at(-1)).toMatchObject({ tenant: 'acme', traceparent: expect.any(String) });
    expect(seenMetadata.at(-1)).not.toHaveProperty('gearman-submitted');
  });

  it.each<[relation: string, option: NonNullable<TracingOptions['relation']>, emitted: string, asked: string]>([
    ["'link'", 'link', 'link', 'link'],
    ["'child'", 'child', 'child', 'child'],
    ['a function', ({ mode, attempt }) => (mode === 'foreground' && attempt === 1 ? 'link' : 'child'), 'child', 'link'],
  ])('of jobs whose strategy has the relation %s: as that says', async (_, option, emitted, asked) => {
    const servers = await startedJobServer();
    await serve({ servers, controllers: [Traced], tracing: { relation: option } });
    const client = clientOf({ servers });
    await firstValueFrom(client.emit('echo', new GearmanRecordBuilder({}).setDelay(1).build()));
    expect(relation(await spanNamed('process echo'), await spanNamed('submit echo'))).toBe(emitted);
    exporter.reset();
    await ask(client, 'echo');
    expect(relation(await spanNamed('process echo'), await spanNamed('submit echo'))).toBe(asked);
  });

  it('of a schedule’s job: a trace of its own, that nobody submitted', async () => {
    const servers = await startedJobServer({ schedules: { yearly: { function: 'echo', cron: '0 0 1 1 *' } } });
    await serve({ servers, controllers: [Traced] });
    await servers.schedules.run('yearly');
    const process = await spanNamed('process echo');
    expect([process.parentSpanContext, process.links, spansNamed('submit echo')]).toEqual([undefined, [], []]);
  });

  it.each([
    ['refuses', 'RpcException', SpanStatusCode.UNSET],
    ['breaks', '_OTHER', SpanStatusCode.ERROR],
  ])('of a failure, %s: error.type %s', async (name, type, code) => {
    await expect(ask(traced(), name)).rejects.toBeDefined();
    for (const span of [await spanNamed(`submit ${name}`), await spanNamed(`process ${name}`)]) {
      expect(span.attributes['error.type']).toBe(type);
      expect(span.status.code).toBe(code);
      expect(span.events).toEqual([]);
      expect(JSON.stringify(span.status)).not.toContain('secret');
    }
  });

  it('of a job nobody does in time: the code of the error', async () => {
    await expect(ask(traced({ timeout: 20 }), 'nobody')).rejects.toMatchObject({ code: 'GEARMAN_TIMEOUT' });
    const { attributes, status } = await spanNamed('submit nobody');
    expect([attributes['error.type'], status.code]).toEqual(['GEARMAN_TIMEOUT', SpanStatusCode.ERROR]);
  });

  it('of a workload that cannot be sent: none', async () => {
    await expect(ask(traced({ format: 'raw' }), 'echo', { a: 1 })).rejects.toBeDefined();
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  it('are not written where the option is false, and take what they are told', async () => {
    await ask(traced({ tracing: false }), 'echo');
    expect(spansNamed('submit echo')).toEqual([]);
    const tracing: TracingOptions = { unique: true, bodySize: true, isError: () => true };
    const client = traced({ tracing });
    await expect(ask(client, 'refuses', new GearmanRecordBuilder({}).setUnique('u1').build())).rejects.toBeDefined();
    const submit = await spanNamed('submit refuses');
    expect(submit.status.code).toBe(SpanStatusCode.ERROR);
    expect(submit.attributes).toMatchObject({ 'gearman.job.unique': 'u1', 'messaging.message.body.size': 2 });
    expect(() => traced({ tracing: { relation: 'parent' } as never })).toThrow(/^tracing: must be false, or an object/);
  });

  it('leave what the dispatch hook and the record say beside them, and before them', async () => {
    const client = traced();
    client.setOnDispatchHook((packet: ReadPacket) => (packet.metadata = { 'x-request-id': 'r1' }));
    const { metadata } = (await ask(client, 'echo')) as { metadata: object };
    expect(metadata).toEqual({ 'x-request-id': 'r1', traceparent: expect.stringMatching(/^00-/) });
    const record = new GearmanRecordBuilder({}).setMetadata({ traceparent: 'mine' }).build();
    expect(await ask(client, 'echo', record)).toMatchObject({ metadata: { traceparent: 'mine' } });
  });

  it('are sent without what leaves no room, and never keep a job from being sent', async () => {
    const tenant = 'x'.repeat(8_150);
    const record = new GearmanRecordBuilder({}).setMetadata({ tenant }).build();
    expect(await ask(traced(), 'echo', record)).toMatchObject({ metadata: { tenant } });
  });

  it('do not keep jobs from coalescing: five traced callers, one run', async () => {
    let runs = 0;
    let finish: () => void = () => {};
    const worker = new JobWorker({ servers: jobServer });
    atEnd(() => worker.close());
    worker.register('report', async () => {
      runs++;
      await new Promise<void>((resolve) => (finish = resolve));
      return '"done"';
    });
    await worker.start();
    const client = traced();
    const record = new GearmanRecordBuilder({ month: 7 }).setUnique('-').build();
    const jobs = await Promise.all(Array.from({ length: 5 }, () => client.submit('report', record)));
    await until('it runs', () => runs > 0);
    finish();
    expect(await Promise.all(jobs.map((job) => job.result()))).toEqual(Array(5).fill('done'));
    expect(runs).toBe(1);
    expect(spansNamed('submit report')).toHaveLength(5);
  });
});

it('a span whose worker is gone says so, and who has the job then has a span of its own', async () => {
  const elsewhere = new JobServer({ listeners: [] });
  await elsewhere.start();
  atEnd(() => elsewhere.stop());
  await serve({ servers: elsewhere, controllers: [Slow] });
  const answer = ask(clientOf({ servers: elsewhere }), 'slow');
  await until('it runs', () => Slow.runs === 1);
  for (const { id } of elsewhere.workers()) elsewhere.operations.disconnect(id);
  expect(await answer).toBe(2);
  Slow.finish();
  await until('both have ended', () => spansNamed('process slow').length === 2);
  const submit = await spanNamed('submit slow');
  const [second, first] = spansNamed('process slow');
  expect(first!.events).toMatchObject([
    { name: 'worker gone', attributes: { 'error.type': 'GEARMAN_CONNECTION_LOST' } },
  ]);
  expect(second!.events).toEqual([]);
  for (const span of [first!, second!]) expect(relation(span, submit)).toBe('child');
  expect([first!, second!].map(({ attributes }) => attributes['gearman.job.attempt'])).toEqual([1, 2]);
});

it('a traced job goes to the job server that its bare workload is for, as every other client finds it', async () => {
  const servers: string[] = [];
  for (let number = 0; number < 2; number++) {
    const server = new JobServer({ listeners: [{ port: 0, host: '127.0.0.1' }] });
    await server.start();
    atEnd(() => server.stop());
    servers.push(server.addresses[0]!);
  }
  const [client, silent] = [{}, { tracing: false as const }].map((options) =>
    clientOf({ servers, choose: 'hash', ...options }),
  );
  for (const each of [client!, silent!]) {
    await until('both are connected', async () => {
      await each.connect();
      return each.unwrap().connectedServers.length === 2;
    });
  }
  const chosen = new Set<string>();
  for (let month = 0; month < 12; month++) {
    const record = new GearmanRecordBuilder({ month }).setUnique('-').build();
    const [one, other] = [
      await firstValueFrom(client!.emit('report', record)),
      await firstValueFrom(silent!.emit('report', record)),
    ];
    // The very job: it had joined.
    expect(other).toEqual(one);
    chosen.add(one.server);
  }
  expect([...chosen].sort()).toEqual(servers.sort());
  expect(spansNamed('submit report')).toHaveLength(12);
});

describeWith('gearmand', 'a traced job through gearmand', () => {
  it.each([
    ["bare with 'auto'", 'auto' as const, /^JOB_ASSIGN [^·]+·f·\{"a":1\}$/s],
    [
      'in a frame with true',
      true,
      /^JOB_ASSIGN [^·]+·f··NGMETA1···.\{"traceparent":"00-(\w+)-(\w+)-01",.*\}\{"a":1\}$/s,
    ],
  ])('goes %s', async (_title, metadata, expected) => {
    const { port } = await startGearmand();
    await firstValueFrom(clientOf({ servers: `127.0.0.1:${port}`, metadata }).emit('f', { a: 1 }));
    const worker = await RawPeer.connect({ port });
    worker.send('CAN_DO f', 'GRAB_JOB');
    const [, traceId, spanId] = expected.exec(await worker.next())!;
    if (traceId !== undefined) expect((await spanNamed('submit f')).spanContext()).toMatchObject({ traceId, spanId });
  });
});

describeWith('gearmand', 'a traced job whose job server is lost', () => {
  it('goes to gearmand bare, and its span says where', async () => {
    const ours = await startJobServerCommand(['-l', 'stderr']);
    const { port } = await startGearmand();
    const servers = [`127.0.0.1:${ours.port}`, `127.0.0.1:${port}`];
    const seen: string[] = [];
    const worker = new JobWorker({ servers });
    atEnd(() => worker.close({ gracePeriod: 0 }));
    worker.register('hold', async ({ workload, signal }) => {
      seen.push(workload.toString('latin1'));
      if (seen.length > 1) return '"held"';
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
    });
    worker.on('error', () => {});
    await worker.start();
    const client = clientOf({ servers });
    await until('both are connected', async () => {
      await client.connect();
      return client.unwrap().connectedServers.length === 2 && worker.connectedServers.length === 2;
    });
    const answer = ask(client, 'hold', { a: 1 });
    await until('it runs', () => seen.length > 0);
    await ours.kill();
    expect(await answer).toBe('held');
    expect(seen).toEqual(['{"a":1}', '{"a":1}']);
    const { events, attributes } = await spanNamed('submit hold');
    expect(attributes['server.port']).toBe(ours.port);
    expect(events).toMatchObject([
      { name: 'resubmitted', attributes: { 'server.address': '127.0.0.1', 'server.port': port } },
    ]);
  });
});
