import type { Tracer } from '@opentelemetry/api';
import type { TracingOptions } from './tracing-options.js';

/** OpenTelemetry's API as a module. */
export type OpenTelemetry = typeof import('@opentelemetry/api');

/** What spans are made with. */
export interface SpanMaker {
  readonly api: OpenTelemetry;
  readonly tracer: Tracer;
  readonly options: TracingOptions;
}
