import type { Attributes, ProxyTracerProvider, TracerProvider } from '@opentelemetry/api';
import type { AssignedJob } from '../../driver/index.js';
import { loadOpenTelemetry, serverAttributes, type OpenTelemetry } from '../../telemetry/tracing/index.js';
import type { JobCall } from '../job-call.js';
import { MessageMetrics } from './message-metrics.js';
import { ProcessSpan } from './process-span.js';
import type { SpanMaker } from './span-maker.js';
import { SubmitSpan } from './submit-span.js';
import type { TracingOptions } from './tracing-options.js';

/**
 * The spans of a client or a strategy, if the application has
 * `@opentelemetry/api`. Without it there are none, and without an SDK behind it
 * they cost next to nothing.
 */
export class Tracing {
  private maker: SpanMaker | undefined;

  constructor(private readonly options: TracingOptions | false = {}) {}

  /** Looks for OpenTelemetry's API; later calls do nothing once it was found. */
  async load(): Promise<void> {
    const { options } = this;
    if (options === false || this.maker) return;
    const api = await loadOpenTelemetry();
    if (!api) return;
    const metrics = MessageMetrics.from(api);
    const tracer = api.trace.getTracer('nestjs-gearman');
    this.maker = { api, tracer, options, metrics, nobody: delegateOf(new api.ProxyTracerProvider()) };
  }

  /**
   * Begins the span of a submission, and sends its context with the job.
   *
   * @param servers the client's job servers; if there are several, it shows only later which one accepts the job.
   */
  submit(call: JobCall, isForeground: boolean, servers: readonly string[]): SubmitSpan | undefined {
    const { maker } = this;
    if (!maker || (isSilent(maker) && !isWithinTrace(maker.api))) return undefined;
    const server = servers.length === 1 ? serverAttributes(servers[0]!) : NO_ATTRIBUTES;
    return new SubmitSpan(maker, call, isForeground, server);
  }

  /** Begins the span of a job that a handler is about to run. */
  process(job: AssignedJob, clientId: string | undefined): ProcessSpan | undefined {
    const { maker } = this;
    // The metadata may contain a trace to continue, even if nobody writes spans.
    if (!maker || (isSilent(maker) && job.metadata === undefined)) return undefined;
    return new ProcessSpan(maker, job, clientId);
  }
}

const NO_ATTRIBUTES: Attributes = {};

/** Whether there is no SDK (yet): spans would go nowhere, and making them costs a third of a job. */
function isSilent({ api, metrics, nobody }: SpanMaker): boolean {
  return metrics === undefined && delegateOf(api.trace.getTracerProvider()) === nobody;
}

/** The provider behind a provider: behind the API's own one that is the SDK, once there is one. */
function delegateOf(provider: TracerProvider): TracerProvider {
  return (provider as Partial<ProxyTracerProvider>).getDelegate?.() ?? provider;
}

/** Whether somebody began a trace that the job belongs to. */
function isWithinTrace({ trace, context }: OpenTelemetry): boolean {
  return trace.getSpanContext(context.active()) !== undefined;
}
