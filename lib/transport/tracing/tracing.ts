import type { Attributes } from '@opentelemetry/api';
import type { AssignedJob } from '../../driver/index.js';
import type { JobCall } from '../job-call.js';
import { MessageMetrics } from './message-metrics.js';
import { ProcessSpan } from './process-span.js';
import { serverAttributes } from './span-attributes.js';
import type { OpenTelemetry } from './open-telemetry.js';
import type { SpanMaker } from './span-maker.js';
import { SubmitSpan } from './submit-span.js';
import type { TracingOptions } from './tracing-options.js';

/**
 * The spans of a client or a strategy, where the application has
 * `@opentelemetry/api`: without it there are none, and without an SDK behind it
 * they cost next to nothing.
 */
export class Tracing {
  private maker: SpanMaker | undefined;

  constructor(private readonly options: TracingOptions | false = {}) {}

  /** Looks for OpenTelemetry's API; later calls do nothing once it was found. */
  async load(): Promise<void> {
    const { options } = this;
    if (options === false || this.maker) return;
    const api = await loadApi();
    if (!api) return;
    const metrics = MessageMetrics.from(api);
    this.maker = { api, tracer: api.trace.getTracer('nestjs-gearman'), options, metrics };
  }

  /**
   * Begins the span of a submission, and has its context travel with the job.
   *
   * @param servers the client's job servers; which one takes the job shows later, unless there is one.
   */
  submit(call: JobCall, isForeground: boolean, servers: readonly string[]): SubmitSpan | undefined {
    const server = servers.length === 1 ? serverAttributes(servers[0]!) : NO_ATTRIBUTES;
    return this.maker && new SubmitSpan(this.maker, call, isForeground, server);
  }

  /** Begins the span of a job that a handler is about to run. */
  process(job: AssignedJob, clientId: string | undefined): ProcessSpan | undefined {
    return this.maker && new ProcessSpan(this.maker, job, clientId);
  }
}

const NO_ATTRIBUTES: Attributes = {};

async function loadApi(): Promise<OpenTelemetry | undefined> {
  try {
    return await import('@opentelemetry/api');
  } catch (error) {
    const { code } = error as { code?: unknown };
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
