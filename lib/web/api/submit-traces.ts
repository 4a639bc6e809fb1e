import type { IncomingMessage } from 'node:http';
import type { Span } from '@opentelemetry/api';
import { fitMetadata, type GearmanMetadata } from '../../driver/index.js';
import type { JobSpec } from '../../job-server/engine/index.js';
import type { Log } from '../../ground/index.js';
import { fromByteString, PRIORITY_NAMES, SUBMITTED_KEY, toByteString } from '../../protocol/index.js';
import { jobAttributes, loadOpenTelemetry, type OpenTelemetry } from '../../telemetry/tracing/index.js';
import { Problem } from '../problem.js';

/** W3C's form, without the forbidden version ff and without ids of only zeros. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}$/;

/** Continues the trace of a request that submits a job: the trace context goes to the worker beside the workload. */
export class SubmitTraces {
  private api: OpenTelemetry | undefined;

  constructor(log: Log) {
    loadOpenTelemetry().then(
      (api) => (this.api = api),
      (error: unknown) => log('warn', `web: no spans, @opentelemetry/api cannot be loaded: ${String(error)}`),
    );
  }

  /** Submits within a span of its own if this process writes spans; otherwise the caller's context is passed on unchanged. */
  async around<Submitted extends { handle: string }>(
    request: IncomingMessage,
    spec: JobSpec,
    submit: (spec: JobSpec) => Promise<Submitted>,
  ): Promise<Submitted> {
    const { span, context } = this.begin(request, spec);
    try {
      const submitted = await submit(context ? { ...spec, metadata: metadataOf(context, spec) } : spec);
      span?.setAttribute('messaging.message.id', submitted.handle);
      return submitted;
    } catch (error) {
      if (span) this.failed(span, error);
      throw error;
    } finally {
      span?.end();
    }
  }

  private begin(request: IncomingMessage, spec: JobSpec): { span?: Span; context: GearmanMetadata | undefined } {
    const told = contextOf(request);
    const { api } = this;
    if (!api) return { context: told };
    const { context, propagation, trace } = api;
    const active = context.active();
    // If the app makes a span for this request itself, that span is already a child of the caller's.
    const parent = trace.getSpanContext(active) ? active : propagation.extract(active, told ?? {});
    const name = fromByteString(spec.function);
    const attributes = {
      ...jobAttributes('submit', name),
      'gearman.job.mode': spec.isBackground ? 'background' : 'foreground',
      'gearman.job.priority': PRIORITY_NAMES[spec.priority],
    };
    const tracer = trace.getTracer('nestjs-gearman');
    const span = tracer.startSpan(`submit ${name}`, { kind: api.SpanKind.PRODUCER, attributes }, parent);
    const injected: GearmanMetadata = {};
    propagation.inject(trace.setSpan(parent, span), injected);
    // Without an SDK nothing was injected.
    return { span, context: Object.keys(injected).length > 0 ? injected : told };
  }

  private failed(span: Span, error: unknown): void {
    span.setAttribute('error.type', error instanceof Problem ? error.code : (error as Error).constructor.name);
    span.setStatus({ code: this.api!.SpanStatusCode.ERROR, message: (error as Error).message });
  }
}

/** The metadata for a context, with how the job was submitted: for a job that runs later, the worker's span begins a trace of its own. */
function metadataOf(context: GearmanMetadata, { isBackground, at }: JobSpec): string {
  const mode = !isBackground ? 'foreground' : at > 0 ? 'delayed' : 'background';
  const { metadata } = fitMetadata({ ...context, [SUBMITTED_KEY]: mode });
  return toByteString(JSON.stringify(metadata));
}

/** The trace context in the caller's headers. */
function contextOf({ headers }: IncomingMessage): GearmanMetadata | undefined {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string' || !TRACEPARENT.test(traceparent)) return undefined;
  const hasState = typeof tracestate === 'string' && tracestate.length <= 512;
  return { traceparent, ...(hasState && { tracestate }) };
}
