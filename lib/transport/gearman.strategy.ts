import { Logger } from '@nestjs/common';
import {
  Server,
  type CustomTransportStrategy,
  type MessageHandler,
  type MsPattern,
  type Transport,
} from '@nestjs/microservices';
import { finalize, type Observable } from 'rxjs';
import { JobWorker } from '../driver/index.js';
import { METRIC_SOURCE, type AppMetricSource, type MetricFamily } from '../telemetry/metrics/index.js';
import { ConnectionMonitor } from './connection-monitor.js';
import { FunctionContract } from './function-contract.js';
import { functionNameOf } from './function-name.js';
import { FunctionRegistry } from './function-registry.js';
import { serversOf, type GearmanHealth, type HealthSource } from './gearman.health.js';
import { REQUEST_FORMATS, RESPONSE_FORMATS } from './gearman.serializer.js';
import { GEARMAN_TRANSPORT } from './gearman.transport.js';
import { JobRunner, type JobRunnerHost } from './job-runner.js';
import { rejectionGuard } from './rejection-guard.js';
import type { GearmanEvents, GearmanStatus } from './status.js';
import { splitStrategyOptions, type GearmanStrategyOptions } from './strategy-options.js';
import { Tracing } from './tracing/index.js';

/** False on Nest 11, which only has the hooks that `handleRequest` calls. */
const HAS_HANDLE_REQUEST = 'handleRequest' in Server.prototype;

/**
 * Serves an application's handlers as Gearman functions, to all its job
 * servers at once.
 *
 * ```ts
 * NestFactory.createMicroservice(AppModule, { strategy: new GearmanStrategy({ servers: 'jobs:4730' }) });
 * app.connectMicroservice({ strategy: new GearmanStrategy() }); // a hybrid application
 * ```
 *
 * Throws `GEARMAN_INVALID_OPTION` for an option that is not allowed.
 */
export class GearmanStrategy
  extends Server<GearmanEvents>
  implements CustomTransportStrategy, HealthSource, AppMetricSource
{
  readonly [METRIC_SOURCE] = true;
  override transportId: Transport | symbol = GEARMAN_TRANSPORT;
  /** A failing event handler fails its job, and the strategy logs it, so Nest need not log it. */
  override readonly propagatesEventHandlerErrors = true;

  protected override readonly logger = new Logger(GearmanStrategy.name);
  private readonly options: ReturnType<typeof splitStrategyOptions>;
  private readonly functions = new FunctionRegistry();
  private readonly monitor = new ConnectionMonitor(this.logger, (status) => this._status$.next(status));
  private readonly runner: JobRunner;
  private readonly tracing: Tracing;
  private worker: JobWorker;
  /** Undoes what was set up for as long as the worker works. */
  private release: (() => void) | undefined;

  constructor(options: GearmanStrategyOptions = {}) {
    super();
    this.options = splitStrategyOptions(options);
    this.tracing = new Tracing(options.tracing);
    this.runner = new JobRunner({
      logger: this.logger,
      format: options.format,
      requests: options.deserializer ?? REQUEST_FORMATS,
      responses: options.serializer ?? RESPONSE_FORMATS,
      trace: (job) => this.tracing.process(job, options.clientId),
      answer: (context, produce, respond) => this.answer(context, produce, respond),
    });
    // Not in `listen`, so that an invalid option fails at once.
    this.worker = new JobWorker(this.options.driver);
  }

  /** The state of the connections; a late subscriber gets the latest one first. */
  override get status(): Observable<GearmanStatus> {
    return super.status as Observable<GearmanStatus>;
  }

  /** Calls back when every function is registered with a job server, or with the error if that fails. */
  listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /**
   * Takes no more jobs, lets running handlers finish within `gracePeriod` and
   * delivers their results, then disconnects. The strategy may listen again.
   */
  async close(): Promise<void> {
    const { worker, release } = this;
    this.release = undefined;
    this.worker = new JobWorker(this.options.driver);
    await worker.close({ gracePeriod: this.options.own.gracePeriod });
    release?.();
  }

  /** Adds a listener for events of the connections; before or after `listen`. */
  on<Event extends keyof GearmanEvents>(event: Event, listener: GearmanEvents[Event]): void {
    this.monitor.on(event, listener);
  }

  /** The driver's `JobWorker`; another one after `close`. */
  unwrap<T = JobWorker>(): T {
    return this.worker as T;
  }

  /** Its metrics as they are now: how its jobs ended, by function, and its connections. After `close` they begin at zero again. */
  metrics(): MetricFamily[] {
    return this.worker.metrics();
  }

  /** The strategy's health, for `GearmanHealthIndicator`. */
  health(): GearmanHealth {
    return { ...serversOf(this.worker), functions: this.functions.size, runningJobs: this.worker.runningJobs };
  }

  /** Adds a handler; Nest calls it. A handler that cannot be added makes `listen` fail. */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const declared = pattern instanceof FunctionContract ? { ...pattern.options, ...extras } : extras;
    this.functions.add(() => this.nameOf(pattern), callback, isEventHandler, declared);
    callback.isEventHandler = isEventHandler;
    callback.extras = declared;
    // Nest links event handlers by `next` and runs them as a `forkJoin`, which stops all of them as soon as one
    // ends without a value. So we keep them apart; the map that `getHandlers()` shows has the first of each.
    const route = this.normalizePattern(pattern as MsPattern);
    if (!this.messageHandlers.has(route)) this.messageHandlers.set(route, callback);
  }

  protected override normalizePattern(pattern: MsPattern): string {
    return (pattern as unknown) instanceof FunctionContract ? String(pattern) : super.normalizePattern(pattern);
  }

  private nameOf(pattern: unknown): string {
    return functionNameOf(pattern, this.normalizePattern(pattern as MsPattern), this.options.own.prefix ?? '');
  }

  private async start(): Promise<void> {
    this.functions.check();
    if (this.functions.size === 0) this.logger.warn('No handlers, so no jobs: is the controller in a module?');
    const { worker } = this;
    const releases = [this.monitor.watch(worker), rejectionGuard.switchOn()];
    this.release = () => releases.forEach((release) => release());
    for (const served of this.functions) {
      const { concurrency, timeout = this.options.own.timeout } = served.options;
      const limits = { concurrency, timeout: timeout === 0 ? undefined : timeout };
      worker.register(served.name, (job) => this.runner.run(served, job), limits);
    }
    try {
      await this.tracing.load();
      await worker.start();
    } catch (error) {
      await this.close(); // a strategy that failed to listen stops trying
      throw error;
    }
    this.logger.debug(`Serving ${[...this.functions].map(({ name }) => name).join(', ')}`);
  }

  private answer(...[context, produce, respond]: Parameters<JobRunnerHost['answer']>): unknown {
    // Both ways return what the start hook returns, often a promise.
    if (HAS_HANDLE_REQUEST) return this.handleRequest(context, produce, respond);
    return this.onProcessingStartHook(this.transportId, context, async () => {
      const stream = await produce();
      this.send(stream.pipe(finalize(() => this.onProcessingEndHook?.(this.transportId, context))), respond);
    });
  }
}
