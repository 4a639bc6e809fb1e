import type { Attributes, Counter, Histogram } from '@opentelemetry/api';
import type { OpenTelemetry } from '../../telemetry/tracing/index.js';

/** The bounds that semantic conventions advise for the two histograms, in seconds. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

/**
 * The messaging metrics of semantic conventions 1.44, by OpenTelemetry's API:
 * whoever runs Gearman beside other brokers finds the same names for all.
 */
export class MessageMetrics {
  private readonly operationDuration: Histogram;
  private readonly sentMessages: Counter;
  private readonly consumedMessages: Counter;
  private readonly processDuration: Histogram;

  private constructor(meter: ReturnType<OpenTelemetry['metrics']['getMeter']>) {
    const histogram = (name: string, description: string): Histogram =>
      meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: BUCKETS } });
    const counter = (name: string, description: string): Counter =>
      meter.createCounter(name, { description, unit: '{message}' });
    this.operationDuration = histogram('messaging.client.operation.duration', 'From a submission to its JOB_CREATED.');
    this.sentMessages = counter('messaging.client.sent.messages', 'Jobs submitted.');
    this.consumedMessages = counter('messaging.client.consumed.messages', 'Jobs given to handlers.');
    this.processDuration = histogram('messaging.process.duration', 'From the start of a handler to its result.');
  }

  /** The instruments, if the application has an SDK that reads them; the SDK must have started before. */
  static from({ metrics, createNoopMeter }: OpenTelemetry): MessageMetrics | undefined {
    const meter = metrics.getMeter('nestjs-gearman');
    return meter.constructor === createNoopMeter().constructor ? undefined : new MessageMetrics(meter);
  }

  /** A job was submitted, or could not be submitted: then `error.type` says why. */
  submitted(since: number, attributes: Attributes): void {
    this.sentMessages.add(1, attributes);
    this.operationDuration.record((performance.now() - since) / 1_000, attributes);
  }

  /** A handler is about to run. */
  consumed(attributes: Attributes): void {
    this.consumedMessages.add(1, attributes);
  }

  /** A handler has ended. */
  processed(since: number, attributes: Attributes): void {
    this.processDuration.record((performance.now() - since) / 1_000, attributes);
  }
}
