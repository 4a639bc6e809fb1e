import type { IncomingMessage, ServerResponse } from 'node:http';
import { context, SpanKind, trace } from '@opentelemetry/api';

/** Makes a span for each request; replaces `@opentelemetry/instrumentation-http` here. */
export function traceRequests(request: IncomingMessage, response: ServerResponse, next: () => void): void {
  const name = `${request.method} ${request.url}`;
  const span = trace.getTracer('http').startSpan(name, { kind: SpanKind.SERVER });
  response.once('close', () => span.end());
  context.with(trace.setSpan(context.active(), span), next);
}
