import type { Tracer, TracerProvider } from '@opentelemetry/api';
import type { MessageMetrics } from './message-metrics.js';
import type { OpenTelemetry } from '../../telemetry/tracing/index.js';
import type { TracingOptions } from './tracing-options.js';

/** What spans are made with. */
export interface SpanMaker {
  readonly api: OpenTelemetry;
  readonly tracer: Tracer;
  readonly options: TracingOptions;
  /** Missing where nothing reads them. */
  readonly metrics: MessageMetrics | undefined;
  /** What the API hands spans to while there is no SDK. */
  readonly nobody: TracerProvider;
}
