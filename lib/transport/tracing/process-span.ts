import type { Attributes, Context, Span } from '@opentelemetry/api';
import { ClosedError, ConnectionLostError, WorkException, type AssignedJob } from '../../driver/index.js';
import { jobAttributes, serverAttributes } from '../../telemetry/tracing/index.js';
import { endFailed, errorType } from './span-failure.js';
import type { MessageMetrics } from './message-metrics.js';
import { modeOf } from './submitted-mode.js';
import type { SpanMaker } from './span-maker.js';
import type { TracedJob, TraceRelation } from './tracing-options.js';

/**
 * The span of a handler's work, from its start to its result. It links to the
 * span that submitted the job; `relation` decides whether it is also its child.
 */
export class ProcessSpan {
  private readonly span: Span;
  private readonly context: Context;

  constructor(
    private readonly maker: SpanMaker,
    private readonly job: AssignedJob,
    clientId: string | undefined,
  ) {
    const { api, tracer, options } = maker;
    const { metadata, attempt } = job;
    const mode = modeOf(metadata);
    const traced: TracedJob = { function: job.function, handle: job.handle, attempt, mode };
    const extracted = metadata ? api.propagation.extract(api.ROOT_CONTEXT, metadata) : api.ROOT_CONTEXT;
    const creation = api.trace.getSpanContext(extracted);
    const isChild = creation !== undefined && relationOf(traced, options.relation) === 'child';
    const parent = isChild ? extracted : api.trace.deleteSpan(extracted);
    const attributes: Attributes = {
      ...jobAttributes('process', job.function),
      ...serverAttributes(job.server),
      'messaging.message.id': job.handle,
    };
    if (clientId !== undefined) attributes['messaging.client.id'] = clientId;
    if (mode !== undefined) attributes['gearman.job.mode'] = mode === 'foreground' ? mode : 'background';
    if (attempt !== undefined) attributes['gearman.job.attempt'] = attempt;
    if (options.unique && job.unique !== '') attributes['gearman.job.unique'] = job.unique;
    if (options.bodySize) attributes['messaging.message.body.size'] = job.workload.length;
    const links = creation ? [{ context: creation }] : [];
    this.span = tracer.startSpan(
      `process ${job.function}`,
      { kind: api.SpanKind.CONSUMER, attributes, links, root: !isChild },
      parent,
    );
    this.context = api.trace.setSpan(parent, this.span);
  }

  /** Runs a handler within the span, and ends the span when the handler ends. */
  run(work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    return this.maker.metrics ? this.measured(this.maker.metrics, () => this.traced(work)) : this.traced(work);
  }

  /** Counts the job, and measures how long it takes. */
  private measured(metrics: MessageMetrics, work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const { job } = this;
    const attributes = { ...jobAttributes('process', job.function), ...serverAttributes(job.server) };
    metrics.consumed(attributes);
    const startedAt = performance.now();
    return work().then(
      (result) => {
        metrics.processed(startedAt, attributes);
        return result;
      },
      (error: unknown) => {
        metrics.processed(startedAt, { ...attributes, 'error.type': errorType(causeOf(error)) });
        throw error;
      },
    );
  }

  private traced(work: () => Promise<Uint8Array>): Promise<Uint8Array> {
    const { context } = this.maker.api;
    if (!this.span.isRecording()) return context.with(this.context, work);
    this.job.signal.addEventListener('abort', () => this.aborted(this.job.signal.reason), { once: true });
    return context.with(this.context, work).then(
      (result) => {
        this.span.end();
        return result;
      },
      (error: unknown) => {
        endFailed(this.span, causeOf(error), this.maker);
        throw error;
      },
    );
  }

  /** Notes that the job server gives the job to another worker while this handler goes on. */
  private aborted(reason: unknown): void {
    if (!(reason instanceof ConnectionLostError || reason instanceof ClosedError)) return;
    this.span.addEvent('worker gone', { 'error.type': reason.code });
  }
}

/** The error that a handler threw, if `error` is only what its caller is told. */
function causeOf(error: unknown): unknown {
  return error instanceof WorkException ? (error.cause ?? error) : error;
}

function relationOf(job: TracedJob, relation: SpanMaker['options']['relation']): TraceRelation {
  if (typeof relation === 'function') return relation(job);
  if (relation !== undefined) return relation;
  if (job.mode === 'foreground') return 'child';
  const isLater = job.mode === 'delayed' || job.mode === 'replayed' || (job.attempt ?? 1) > 1;
  return isLater ? 'link' : 'child';
}
