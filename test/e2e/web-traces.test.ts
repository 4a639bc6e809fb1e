import 'reflect-metadata';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { coreOf } from '../../lib/job-server/core-of.js';
import { atEnd } from '../support/cleanup.js';
import { until } from '../support/until.js';
import { grab, startWeb, type WebScene } from '../support/web-scene.js';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const headers = { traceparent: `00-${TRACE}-${CALLER}-01` };

const exporter = new InMemorySpanExporter();
let scene: WebScene;

beforeAll(async () => {
  trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  scene = await startWeb();
  await until('OpenTelemetry is loaded', async () => {
    await scene.ask('POST', '/v1/functions/first/jobs', { body: 'x' });
    return exporter.getFinishedSpans().length > 0;
  });
});
beforeEach(() => exporter.reset());

function submitSpan() {
  const [span, ...others] = exporter.getFinishedSpans();
  expect(others).toEqual([]);
  const { name, kind, attributes, status, parentSpanContext } = span!;
  const { traceId, spanId } = span!.spanContext();
  return { spanId, span: { name, kind, attributes, status: status.code, traceId, parent: parentSpanContext?.spanId } };
}

const ATTRIBUTES = {
  'messaging.system': 'gearman',
  'messaging.operation.name': 'submit',
  'messaging.operation.type': 'send',
  'gearman.job.priority': 'normal',
};

describe('a submission over HTTP, where OpenTelemetry is', () => {
  it('is a span whose parent is the caller, and what the worker is given goes on from it', async () => {
    const { body } = await scene.json('POST', '/v1/functions/f/jobs?priority=high', { body: 'x', headers });
    const { spanId, span } = submitSpan();
    expect(span).toEqual({
      name: 'submit f',
      kind: SpanKind.PRODUCER,
      traceId: TRACE,
      parent: CALLER,
      status: SpanStatusCode.UNSET,
      attributes: {
        ...ATTRIBUTES,
        'messaging.destination.name': 'f',
        'messaging.message.id': body.handle,
        'gearman.job.mode': 'background',
        'gearman.job.priority': 'high',
      },
    });
    const { metadata } = coreOf(scene.server).engine.find(body.handle)!;
    expect(JSON.parse(metadata!)).toEqual({
      traceparent: `00-${TRACE}-${spanId}-01`,
      'gearman-submitted': 'background',
    });
  });

  it('lasts until the result, and says how it failed', async () => {
    const answer = scene.json('POST', '/v1/functions/g/run', { body: 'x', headers });
    const worker = scene.peer();
    const { handle } = await grab(worker, 'g');
    expect(exporter.getFinishedSpans()).toEqual([]);
    worker.send(`WORK_EXCEPTION ${handle}·boom`);
    expect((await answer).status).toBe(422);
    expect(submitSpan().span).toMatchObject({
      name: 'submit g',
      parent: CALLER,
      status: SpanStatusCode.ERROR,
      attributes: { 'gearman.job.mode': 'foreground', 'error.type': 'job-failed' },
    });
  });

  it('begins a trace where the caller has none, for each line of a list', async () => {
    const lines = {
      jobs: [
        { function: 'h', text: '1' },
        { function: 'h', text: '2' },
      ],
    };
    await scene.json('POST', '/v1/jobs', { body: JSON.stringify(lines) });
    const spans = exporter.getFinishedSpans();
    expect(spans.map(({ name, parentSpanContext }) => [name, parentSpanContext])).toEqual([
      ['submit h', undefined],
      ['submit h', undefined],
    ]);
    expect(new Set(spans.map((span) => span.spanContext().traceId)).size).toBe(2);
  });

  it('is within the span that the app has of the request, where it has one', async () => {
    // As the instrumentation of node:http does it.
    const traced = createServer((request: IncomingMessage, response: ServerResponse) => {
      const caller = propagation.extract(context.active(), request.headers);
      const span = trace.getTracer('app').startSpan('POST', { kind: SpanKind.SERVER }, caller);
      response.once('close', () => span.end());
      context.with(trace.setSpan(caller, span), () => scene.handler(request, response));
    });
    await new Promise<void>((resolve) => traced.listen(0, '127.0.0.1', resolve));
    atEnd(async () => void traced.close());
    const { port } = traced.address() as AddressInfo;
    await fetch(`http://127.0.0.1:${port}/v1/functions/f/jobs`, { method: 'POST', body: 'x', headers });
    await until('both spans are over', () => exporter.getFinishedSpans().length === 2);
    const [submit, server] = exporter.getFinishedSpans();
    expect([submit!.name, server!.name]).toEqual(['submit f', 'POST']);
    expect(submit!.parentSpanContext!.spanId).toBe(server!.spanContext().spanId);
    expect(server!.parentSpanContext!.spanId).toBe(CALLER);
  });
});
