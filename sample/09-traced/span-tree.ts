import { SpanKind } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';

type Done = Parameters<SpanExporter['export']>[1];

/** Prints each trace as a tree when the span of its HTTP request has ended, because all others end before. */
export class SpanTree implements SpanExporter {
  private readonly traces = new Map<string, ReadableSpan[]>();

  constructor(private readonly print: (line: string) => void = console.log) {}

  export(ended: ReadableSpan[], done: Done): void {
    for (const span of ended) this.take(span);
    done({ code: 0 });
  }

  async shutdown(): Promise<void> {
    this.traces.clear();
  }

  private take(span: ReadableSpan): void {
    const { traceId } = span.spanContext();
    const spans = [...(this.traces.get(traceId) ?? []), span];
    this.traces.set(traceId, spans);
    if (span.parentSpanContext) return;
    this.traces.delete(traceId);
    this.branch(span, spans, '');
  }

  private branch(span: ReadableSpan, spans: readonly ReadableSpan[], indent: string): void {
    const handle = span.attributes['messaging.message.id'];
    this.print(`${indent}${span.name} (${SpanKind[span.kind]})${handle === undefined ? '' : ` ${String(handle)}`}`);
    for (const child of spans) {
      if (child.parentSpanContext?.spanId === span.spanContext().spanId) this.branch(child, spans, `${indent}  `);
    }
  }
}
