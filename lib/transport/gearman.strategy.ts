import { Logger } from '@nestjs/common';
import {
  Server,
  type BaseRpcContext,
  type CustomTransportStrategy,
  type MessageHandler,
  type MsPattern,
  type Transport,
  type WritePacket,
} from '@nestjs/microservices';
import { finalize, type Observable } from 'rxjs';
import { GearmanError, JobWorker, type AssignedJob } from '../driver/index.js';
import { ConnectionMonitor } from './connection-monitor.js';
import { DEFAULT_FORMAT, WorkloadFormatError } from './formats.js';
import { FunctionContract } from './function-contract.js';
import { functionNameOf } from './function-name.js';
import { FunctionRegistry, type ServedFunction } from './function-registry.js';
import { GearmanContext } from './gearman.context.js';
import type { GearmanHealth, HealthSource } from './gearman.health.js';
import {
  bytesOf,
  packetOf,
  REQUEST_FORMATS,
  RESPONSE_FORMATS,
  type GearmanDeserializer,
  type GearmanSerializer,
  type RequestPacket,
  type ResponsePacket,
  type WorkloadDescription,
} from './gearman.serializer.js';
import { GEARMAN_TRANSPORT } from './gearman.transport.js';
import { eventStream, messageStream } from './handler-streams.js';
import { JobReply } from './job-reply.js';
import { unframeMetadata } from './metadata.js';
import type { GearmanStatus } from './status.js';
import { type GearmanEvents } from './status.js';
import { splitStrategyOptions, type GearmanStrategyOptions } from './strategy-options.js';

/**
 * Serves an application's handlers as Gearman functions, to all its job
 * servers at once.
 *
 * ```ts
 * NestFactory.createMicroservice(AppModule, { strategy: new GearmanStrategy({ servers: 'jobs:4730' }) });
 * app.connectMicroservice({ strategy: new GearmanStrategy() }); // a hybrid application
 * ```
 *
 * Throws `GEARMAN_INVALID_OPTION` for an option that cannot be.
 */
export class GearmanStrategy
  extends Server<GearmanEvents, GearmanStatus>
  implements CustomTransportStrategy, HealthSource
{
  override transportId: Transport | symbol = GEARMAN_TRANSPORT;
  /** A failing event handler fails its job, and the strategy logs it: Nest need not. */
  override readonly propagatesEventHandlerErrors = true;

  protected override readonly logger = new Logger(GearmanStrategy.name);
  private readonly options: ReturnType<typeof splitStrategyOptions>;
  private readonly requests: GearmanDeserializer<RequestPacket>;
  private readonly responses: GearmanSerializer<ResponsePacket>;
  private readonly functions = new FunctionRegistry();
  private readonly monitor = new ConnectionMonitor(this.logger, (status) => this._status$.next(status));
  private worker: JobWorker | undefined;
  private unwatch: (() => void) | undefined;

  constructor(options: GearmanStrategyOptions = {}) {
    super();
    this.options = splitStrategyOptions(options);
    this.requests = options.deserializer ?? REQUEST_FORMATS;
    this.responses = options.serializer ?? RESPONSE_FORMATS;
  }

  /** Calls back at the first registration with a job server, or with what went wrong. */
  listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /**
   * Takes no more jobs, lets running handlers finish within `gracePeriod` and
   * delivers their results, then disconnects.
   */
  async close(): Promise<void> {
    const worker = this.worker;
    this.worker = undefined;
    await worker?.close({ gracePeriod: this.options.own.gracePeriod });
    this.unwatch?.();
    this.unwatch = undefined;
  }

  /** Adds a listener for what happens to the connections; before or after `listen`. */
  on<Event extends keyof GearmanEvents>(event: Event, listener: GearmanEvents[Event]): void {
    this.monitor.on(event, listener);
  }

  /** The driver's `JobWorker`. Throws before `listen` and after `close`. */
  unwrap<T = JobWorker>(): T {
    if (!this.worker) {
      throw new GearmanError(
        'GEARMAN_NOT_STARTED',
        'there is no worker yet: call listen() or startAllMicroservices() first',
      );
    }
    return this.worker as T;
  }

  /** How the strategy is: for `GearmanHealthIndicator`. */
  health(): GearmanHealth {
    const { worker } = this;
    return {
      servers: worker?.connectedServers ?? [],
      functions: this.functions.size,
      runningJobs: worker?.runningJobs ?? 0,
    };
  }

  /** Adds a handler; Nest calls it. What does not fit is told by `listen`. */
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
    // Nest chains event handlers by `next`, and runs the chain as a `forkJoin`, which ends the others as soon as one
    // ends without a value. So they stay apart, and the map that `getHandlers()` shows has the first of each.
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
    if (this.functions.size === 0)
      this.logger.warn('No handlers found: no job will come. Is the controller in a module?');
    const worker = new JobWorker(this.options.driver);
    this.worker = worker;
    this.unwatch = this.monitor.watch(worker);
    for (const served of this.functions) {
      const { concurrency, timeout = this.options.own.timeout } = served.options;
      const limits = { concurrency, timeout: timeout === 0 ? undefined : timeout };
      worker.register(served.name, (job) => this.run(served, job), limits);
    }
    try {
      await worker.start();
    } catch (error) {
      await this.close();
      throw error;
    }
    this.logger.debug(`Serving ${[...this.functions].map(({ name }) => name).join(', ')}`);
  }

  /** Runs one job; resolves to its result, or rejects with its exception. */
  private run(served: ServedFunction, job: AssignedJob): Promise<Uint8Array> {
    const format = served.options.format ?? this.options.own.format ?? DEFAULT_FORMAT;
    const workload: WorkloadDescription = { function: served.name, format };
    const encode = (response: unknown): Uint8Array => bytesOf(this.responses.serialize({ response }, workload));
    return new Promise((resolve, reject) => {
      const reply = new JobReply(job, encode, { resolve, reject }, (error) => this.logFailure(served, job, error));
      try {
        const { workload: bytes, metadata } = unframeMetadata(job.workload);
        const { data } = packetOf(this.requests.deserialize(bytes, workload));
        const context = new GearmanContext([job, metadata], encode);
        this.answer(context, () => resultOf(served, data, context), reply);
      } catch (error) {
        reply.fail(error);
      }
    });
  }

  /** Has Nest run the handler between its processing hooks. */
  private answer(context: GearmanContext, produce: () => Promise<Observable<unknown>>, reply: JobReply): void {
    // Nest 11 has no `handleRequest`, only the hooks. Both return what the start hook returns, often a promise.
    const hooked: unknown = isNest12(this)
      ? this.handleRequest(context, produce, reply.respond)
      : this.handleRequestOnNest11(context, produce, reply.respond);
    Promise.resolve(hooked).catch((error: unknown) => reply.fail(error));
  }

  private handleRequestOnNest11(
    context: BaseRpcContext,
    produce: () => Promise<Observable<unknown>>,
    respond: (packet: WritePacket) => void,
  ): unknown {
    return this.onProcessingStartHook(this.transportId, context, async () => {
      const stream = await produce();
      this.send(stream.pipe(finalize(() => this.onProcessingEndHook?.(this.transportId, context))), respond);
    });
  }

  private logFailure(served: ServedFunction, job: AssignedJob, error: unknown): void {
    const message = `Job ${job.handle} of function "${served.name}" (${job.server}) failed: ${messageOf(error)}`;
    // A message's caller is told. An event has none, and a wrong format is for who runs the worker.
    if (served.isEvent || error instanceof WorkloadFormatError) this.logger.warn(message);
    else this.logger.debug(message);
  }
}

function resultOf(served: ServedFunction, data: unknown, context: GearmanContext): Promise<Observable<unknown>> {
  const [handler] = served.handlers;
  if (served.isEvent || !handler) return Promise.resolve(eventStream(served.handlers, data, context));
  return messageStream(handler, data, context);
}

function messageOf(error: unknown): string {
  const message: unknown = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}

/** `handleRequest` is Nest 12's; it is protected, so its presence is asked for by name. */
function isNest12(strategy: object): boolean {
  return 'handleRequest' in strategy;
}
