import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { ClientProxy, type MsPattern, type ReadPacket, type WritePacket } from '@nestjs/microservices';
import { ReplaySubject, type Observable } from 'rxjs';
import { InvalidOptionError } from '../ground/index.js';
import { JobClient, type JobClientOptions, type JobIdentity, type JobStatus } from '../driver/index.js';
import { METRIC_SOURCE, type AppMetricSource, type MetricFamily } from '../telemetry/metrics/index.js';
import { splitClientOptions, type GearmanClientOptions } from './client-options.js';
import { ConnectionMonitor } from './connection-monitor.js';
import { FunctionContract, type UntypedPattern } from './function-contract.js';
import { functionNameOf } from './function-name.js';
import { serversOf, type GearmanHealth, type HealthSource } from './gearman.health.js';
import { GearmanJob } from './gearman.job.js';
import type { GearmanRecord } from './gearman.record.js';
import { resultOf, type GearmanResult } from './gearman.result.js';
import {
  packetOf,
  RESPONSE_FORMATS,
  type GearmanDeserializer,
  type RequestPacket,
  type ResponsePacket,
} from './gearman.serializer.js';
import { checkForeground, describeWorkload, prepareCall, type JobCall } from './job-call.js';
import { JobListener, type JobEars } from './job-listener.js';
import type { JobSubmitter } from './job-submitter.js';
import type { GearmanEvents, GearmanStatus } from './status.js';
import { Tracing, type SubmitSpan } from './tracing/index.js';

/**
 * Submits jobs to one or several job servers.
 *
 * Inject it with `GearmanModule.forRoot()`, or with Nest's own
 * `ClientsModule.register([{ name, customClass: GearmanClient, options }])`.
 *
 * Throws `GEARMAN_INVALID_OPTION` for an option that is not allowed.
 */
export class GearmanClient
  extends ClientProxy<GearmanEvents>
  implements HealthSource, OnApplicationShutdown, AppMetricSource
{
  readonly [METRIC_SOURCE] = true;
  protected readonly logger = new Logger(GearmanClient.name);
  private readonly responses: GearmanDeserializer<ResponsePacket>;
  private readonly monitor = new ConnectionMonitor(this.logger, (status) => this._status$.next(status));
  private client: JobSubmitter;
  private readonly tracing: Tracing;
  private connecting: Promise<void> | undefined;
  private unwatch: () => void;

  /** @throws InvalidOptionError */
  constructor(options?: GearmanClientOptions);
  /**
   * @param driverOf makes the driver that speaks to the job servers; a test may make another one
   * @internal
   */
  constructor(options?: GearmanClientOptions, driverOf?: (options: JobClientOptions) => JobSubmitter);
  constructor(
    private readonly options: GearmanClientOptions = {},
    private readonly driverOf: (options: JobClientOptions) => JobSubmitter = (driver) => new JobClient(driver),
  ) {
    super();
    this.responses = options.deserializer ?? RESPONSE_FORMATS;
    this.tracing = new Tracing(options.tracing);
    // Not at the first use, so that an invalid option fails the start.
    this.client = driverOf(splitClientOptions(options).driver);
    this.unwatch = this.monitor.watch(this.client);
  }

  /** The state of the connections; a late subscriber gets the latest one first. */
  override get status(): Observable<GearmanStatus> {
    return super.status as Observable<GearmanStatus>;
  }

  /**
   * Connects to every job server; resolves when the first one has answered, and
   * rejects when none did within `connectTimeout`. A second call does not
   * connect again; after a failure, or after `close`, it tries once more. You
   * need not call it, because whatever is sent connects first.
   */
  connect(): Promise<void> {
    if (!this.connecting) {
      const connecting = this.connectTraced().catch((error: unknown) => {
        if (this.connecting === connecting) this.connecting = undefined;
        throw error;
      });
      this.connecting = connecting;
    }
    return this.connecting;
  }

  /** Disconnects; what is pending fails with `GEARMAN_CLOSED`. The client may be used again. */
  async close(): Promise<void> {
    const { client, unwatch } = this;
    this.connecting = undefined;
    this.client = this.driverOf(splitClientOptions(this.options).driver);
    this.unwatch = this.monitor.watch(this.client);
    await client.close();
    unwatch();
  }

  /** Nest calls it: closes the client with the application. */
  onApplicationShutdown(): Promise<void> {
    return this.close();
  }

  /**
   * Submits a foreground job for each subscription. Each value that the handler
   * emits, or sends with `context.data()`, is a `next`, and so is the result if
   * there is one. Unsubscribing gives the job up, see the option `withdraw`.
   *
   * Errors with the body of the handler's exception (an `RpcException`'s object,
   * or `{ status, message }`), or with a `GearmanError`: `GEARMAN_JOB_FAILED` if
   * the worker gave no reason, `GEARMAN_TIMEOUT` after too long a silence.
   */
  override send<In, Out>(
    fn: FunctionContract<In, Out>,
    data: NoInfer<In> | GearmanRecord<NoInfer<In>>,
  ): Observable<Out>;
  override send<TResult = unknown, TInput = unknown>(pattern: UntypedPattern, data: TInput): Observable<TResult>;
  override send(pattern: unknown, data: unknown): Observable<unknown> {
    return super.send(pattern, data);
  }

  /**
   * Submits a background job, at once and whether or not anybody subscribes.
   * Emits the job's identity when a job server has accepted it. A failure that
   * nobody subscribed to is logged.
   */
  override emit<In>(fn: FunctionContract<In>, data: NoInfer<In> | GearmanRecord<NoInfer<In>>): Observable<JobIdentity>;
  override emit<TResult = JobIdentity, TInput = unknown>(pattern: UntypedPattern, data: TInput): Observable<TResult>;
  override emit(pattern: unknown, data: unknown): Observable<unknown> {
    if (isNil(pattern) || isNil(data)) return super.emit(pattern, data); // Nest has an error of its own for this
    const accepted = new ReplaySubject<JobIdentity>(1);
    this.emitNow(pattern, data).then(
      (job) => {
        accepted.next(job);
        accepted.complete();
      },
      (error: Error) => {
        const isHeard = accepted.observed;
        accepted.error(error);
        // String(), because a template throws for a symbol, which is no pattern either.
        const name = String(this.normalizePattern(pattern as MsPattern));
        if (!isHeard) this.logger.error(`emit of ${name} failed: ${error.message}`);
      },
    );
    return accepted.asObservable();
  }

  /** Submits a foreground job; resolves, when a job server has accepted it, to an object that tells everything about the job. */
  async submit<In, Out>(
    fn: FunctionContract<In, Out>,
    data: NoInfer<In> | GearmanRecord<NoInfer<In>>,
  ): Promise<GearmanJob<Out>>;
  async submit<Out = unknown>(pattern: UntypedPattern, data: unknown): Promise<GearmanJob<Out>>;
  async submit(pattern: unknown, data: unknown): Promise<GearmanJob> {
    await this.connect();
    const call = this.prepare(this.packet(pattern, data));
    return new Promise((resolve, reject) => {
      const controls = { status: (job: JobIdentity) => this.statusOf(job), forget: () => listener.stop() };
      const listener: { stop(): void } = this.listen(call, GearmanJob.listen(controls, resolve, reject));
    });
  }

  /**
   * Asks the job server that has a job about it. The job may come from `emit` or
   * `submit`, also of another day. A handle is unique only within its job server,
   * so a handle alone is enough only if the client has one job server.
   */
  async statusOf(job: JobIdentity | string): Promise<JobStatus> {
    const identity = this.identityOf(job);
    await this.connect();
    return this.client.status(identity);
  }

  /**
   * Asks the job server of a background job what became of it. The job is the
   * value that `emit` emitted, or a handle. Needs a job server of ours with a
   * storage and `keepResults`; any other answers with an error that says so.
   */
  async resultOf<Out>(fn: FunctionContract<never, Out>, job: JobIdentity | string): Promise<GearmanResult<Out>>;
  async resultOf<Out = unknown>(pattern: UntypedPattern, job: JobIdentity | string): Promise<GearmanResult<Out>>;
  async resultOf(pattern: unknown, job: JobIdentity | string): Promise<GearmanResult> {
    const workload = describeWorkload(pattern, this.functionOf(pattern), this.options);
    const identity = this.identityOf(job);
    await this.connect();
    const decode = (bytes: Buffer): unknown => packetOf(this.responses.deserialize(bytes, workload)).response;
    return resultOf(await this.client.result(identity), decode);
  }

  /** Asks every connected job server for a job with this unique; the one that knows it answers. */
  async statusByUnique(unique: string): Promise<JobStatus> {
    await this.connect();
    return this.client.statusByUnique(unique);
  }

  /** Adds a listener for events of the connections; before or after `connect`. */
  override on<Event extends keyof GearmanEvents>(event: Event, listener: GearmanEvents[Event]): void {
    this.monitor.on(event, listener);
  }

  /** The driver's `JobClient`; another one after `close`. */
  unwrap<T = JobClient>(): T {
    return this.client as T;
  }

  /** Its metrics as they are now: how its submissions ended, by function, and its connections. After `close` they begin at zero again. */
  metrics(): MetricFamily[] {
    return this.client.metrics();
  }

  /** The client's health, for `GearmanHealthIndicator`. */
  health(): GearmanHealth {
    return serversOf(this.client);
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    try {
      const listener = this.listen(this.prepare(packet), {
        data: (response) => callback({ response }),
        complete: (response) => callback({ response, isDisposed: true }),
        fail: (err) => callback({ err }),
      });
      return () => listener.stop();
    } catch (err) {
      callback({ err });
      return () => {};
    }
  }

  protected async dispatchEvent<T = JobIdentity>(packet: ReadPacket): Promise<T> {
    const call = this.prepare(packet);
    const span = this.trace(call, false);
    try {
      const job = await this.client.submitBackground(call.request);
      span?.created(job);
      span?.end();
      return job as T;
    } catch (error) {
      span?.fail(error);
      throw error;
    }
  }

  protected override normalizePattern(pattern: MsPattern): string {
    return (pattern as unknown) instanceof FunctionContract ? String(pattern) : super.normalizePattern(pattern);
  }

  private async connectTraced(): Promise<void> {
    await Promise.all([this.client.connect(), this.tracing.load()]);
  }

  private identityOf(job: JobIdentity | string): JobIdentity {
    if (typeof job === 'string') return { handle: job, server: this.onlyServer() };
    return { handle: job.handle, server: job.server };
  }

  private onlyServer(): string {
    const [first, ...others] = this.client.servers;
    if (first !== undefined && others.length === 0) return first;
    throw new InvalidOptionError('job', `must be { handle, server }, because this client has several job servers`);
  }

  private async emitNow(pattern: unknown, data: unknown): Promise<JobIdentity> {
    await this.connect();
    return this.dispatchEvent(this.packet(pattern, data));
  }

  /** Does what `createPacket` does on Nest 12; Nest 11 has neither `createPacket` nor the hook. */
  private packet(pattern: unknown, data: unknown): ReadPacket {
    const packet = { pattern, data };
    this.onDispatchHook?.(packet);
    return packet;
  }

  /** Turns a packet of Nest's into a job that can be submitted. */
  protected prepare(packet: RequestPacket): JobCall {
    return prepareCall(packet, this.functionOf(packet.pattern), this.options);
  }

  private functionOf(pattern: unknown): string {
    return functionNameOf(pattern, this.normalizePattern(pattern as MsPattern), this.options.prefix ?? '');
  }

  private listen(call: JobCall, ears: JobEars): { stop(): void } {
    checkForeground(call.request);
    const span = this.trace(call, true);
    const listener = new JobListener(call, this.responses, span ? span.ears(ears) : ears);
    try {
      listener.listen(this.client);
    } catch (error) {
      span?.fail(error);
      throw error;
    }
    if (!span) return listener;
    return {
      stop: () => {
        listener.stop();
        span.end();
      },
    };
  }

  /** Begins a job's span; its context is sent with the job. */
  private trace(call: JobCall, isForeground: boolean): SubmitSpan | undefined {
    const span = this.tracing.submit(call, isForeground, this.client.servers);
    if (call.leftOut.length > 0) {
      const { function: name } = call.workload;
      this.logger.debug(`Metadata for "${name}" passes 8 KiB: sent without ${call.leftOut.join(' and ')}`);
    }
    return span;
  }
}

function isNil(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}
