import type { Attributes, Span } from '@opentelemetry/api';
import { fitMetadata, type GearmanMetadata, type JobIdentity } from '../../driver/index.js';
import type { JobCall } from '../job-call.js';
import type { JobEars } from '../job-listener.js';
import { jobAttributes, serverAttributes } from '../../telemetry/tracing/index.js';
import { endFailed, errorType } from './span-failure.js';
import { withMode } from './submitted-mode.js';
import type { SpanMaker } from './span-maker.js';
import type { JobMode } from './tracing-options.js';

/**
 * The span of a submission: for a background job until its JOB_CREATED, for a
 * foreground job until its end. Its kind is PRODUCER also for `send`, because
 * service graphs pair a PRODUCER with a CONSUMER.
 */
export class SubmitSpan {
  private readonly span: Span;
  private readonly startedAt: number;
  private isCreated = false;
  private isOver = false;

  constructor(
    private readonly maker: SpanMaker,
    private readonly call: JobCall,
    isForeground: boolean,
    private readonly server: Attributes,
  ) {
    this.startedAt = maker.metrics ? performance.now() : 0;
    const { api, tracer, options } = maker;
    const { request } = call;
    const attributes: Attributes = {
      ...jobAttributes('submit', request.function),
      ...server,
      'gearman.job.mode': isForeground ? 'foreground' : 'background',
      'gearman.job.priority': request.priority ?? 'normal',
    };
    if (options.unique && request.unique) attributes['gearman.job.unique'] = request.unique;
    if (options.bodySize) attributes['messaging.message.body.size'] = request.workload.length;
    this.span = tracer.startSpan(`submit ${request.function}`, { kind: api.SpanKind.PRODUCER, attributes });
    this.inject(call, isForeground ? 'foreground' : request.at ? 'delayed' : 'background');
  }

  /** Wraps a caller's listener so that this span is told what happens too. */
  ears(ears: JobEars): JobEars {
    if (!this.span.isRecording() && !this.maker.metrics) return ears;
    return {
      ...ears,
      created: (job) => {
        this.created(job);
        ears.created?.(job);
      },
      complete: (value) => {
        this.end();
        ears.complete(value);
      },
      fail: (error) => {
        this.fail(error);
        ears.fail(error);
      },
    };
  }

  /** A job server has accepted the job. Told again if that one is lost and another one accepts the job. */
  created({ handle, server }: JobIdentity): void {
    const attributes = { ...serverAttributes(server), 'messaging.message.id': handle };
    if (this.isCreated) this.span.addEvent('resubmitted', attributes);
    else {
      this.span.setAttributes(attributes);
      this.measure(serverAttributes(server));
    }
    this.isCreated = true;
  }

  /** The job has ended, or nobody listens any more. */
  end(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.span.end();
  }

  fail(error: unknown): void {
    if (this.isOver) return;
    this.isOver = true;
    if (!this.isCreated) this.measure({ ...this.server, 'error.type': errorType(error) });
    endFailed(this.span, error, this.maker);
  }

  private measure(attributes: Attributes): void {
    const { metrics } = this.maker;
    metrics?.submitted(this.startedAt, { ...jobAttributes('submit', this.call.request.function), ...attributes });
  }

  /** Adds the trace to the metadata. A field that the application set itself, in a hook or a record, stays. */
  private inject({ request, leftOut, sendsMetadata }: JobCall, mode: JobMode): void {
    if (!sendsMetadata) return;
    const { api } = this.maker;
    const carrier: GearmanMetadata = {};
    api.propagation.inject(api.trace.setSpan(api.context.active(), this.span), carrier);
    if (Object.keys(carrier).length === 0) return;
    try {
      const fitting = fitMetadata({ ...withMode(carrier, mode), ...request.metadata });
      request.metadata = fitting.metadata;
      leftOut.push(...fitting.leftOut);
    } catch {
      // The application's own metadata leaves no room; the job is more important than its trace.
      leftOut.push(...Object.keys(carrier));
    }
  }
}
