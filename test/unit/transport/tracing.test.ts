import { expect, it } from '@jest/globals';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider } from '@opentelemetry/sdk-trace-base';
import type { AssignedJob } from '../../../lib/driver/index.js';
import type { JobCall } from '../../../lib/transport/job-call.js';
import { Tracing } from '../../../lib/transport/tracing/index.js';

const callOf = (): JobCall => {
  const request = { function: 'f', workload: Buffer.from('x') };
  return { request, leftOut: [], sendsMetadata: true } as unknown as JobCall;
};
const jobOf = (metadata?: object): AssignedJob => {
  const job = { function: 'f', handle: 'H:x:1', server: 'x:1', unique: '', workload: Buffer.from('x') };
  return { ...job, signal: new AbortController().signal, metadata } as unknown as AssignedJob;
};

it('spans are made once there is an SDK, and before that only to hand on a trace that somebody began', async () => {
  const tracing = new Tracing();
  await tracing.load();
  expect(tracing.submit(callOf(), true, [])).toBeUndefined();
  expect(tracing.process(jobOf(), undefined)).toBeUndefined();

  // A trace that came in, and a propagator: nothing writes spans.
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  const begun = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', traceFlags: 1 };
  const call = callOf();
  context.with(trace.setSpanContext(ROOT_CONTEXT, begun), () => tracing.submit(call, true, []));
  const traceparent = `00-${begun.traceId}-${begun.spanId}-01`;
  expect(call.request.metadata).toMatchObject({ traceparent });
  const seen = await tracing.process(jobOf({ traceparent }), undefined)!.run(async () => {
    return Buffer.from(trace.getSpanContext(context.active())!.traceId);
  });
  expect(String(seen)).toBe(begun.traceId);
  expect(tracing.submit(callOf(), true, [])).toBeUndefined();

  trace.setGlobalTracerProvider(new BasicTracerProvider());
  expect(tracing.submit(callOf(), true, [])).toBeDefined();
  expect(tracing.process(jobOf(), undefined)).toBeDefined();
});
