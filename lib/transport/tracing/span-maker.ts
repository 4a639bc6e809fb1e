import type { Tracer, TracerProvider } from '@opentelemetry/api';
import type { MessageMetrics } from './message-metrics.js';
import type { OpenTelemetry } from '../../telemetry/tracing/index.js';
import type { TracingOptions } from './tracing-options.js';

/** What all spans of a client or strategy are made with. */
export interface SpanMaker {
  readonly api: OpenTelemetry;
  readonly tracer: Tracer;
  readonly options: TracingOptions;
  /** Undefined if nothing reads metrics. */
  readonly metrics: MessageMetrics | undefined;
  /** The provider that the API passes spans to while there is no SDK. */
  readonly nobody: TracerProvider;
}
