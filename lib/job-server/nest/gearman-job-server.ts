import type { Duplex } from 'node:stream';
import {
  Inject,
  Injectable,
  Logger,
  type LoggerService,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { Observable } from 'rxjs';
import { InvalidOptionError } from '../../ground/index.js';
import { METRIC_SOURCE, type AppMetricSource, type MetricFamily } from '../../telemetry/metrics/index.js';
import { toByteString } from '../../protocol/index.js';
import type { Refusal } from '../engine/index.js';
import { validateStopOptions, type StopOptions } from '../draining.js';
import type { JobServerEvents } from '../job-server-events.js';
import type { JobServerOptions } from '../job-server-options.js';
import { JobServer } from '../job-server.js';
import { readableLine } from '../log.js';
import type { History } from '../history/index.js';
import type { Operations } from '../operations/index.js';
import {
  deadLetterSnapshot,
  functionSnapshot,
  jobSnapshot,
  workerSnapshot,
  type DeadLetterSnapshot,
  type FunctionSnapshot,
  type JobSnapshot,
  type WorkerSnapshot,
} from '../snapshots.js';
import { JOB_SERVER_OPTIONS } from './job-server.module-definition.js';

/** Something that happened in the job server: the event's name and its arguments; see {@link JobServerEvents}. */
export type JobServerEvent = {
  [Name in keyof JobServerEvents]: { readonly type: Name; readonly args: JobServerEvents[Name] };
}[keyof JobServerEvents];

/** How a background job ended, where results are kept. */
export interface JobResult {
  state: 'complete' | 'failed';
  /** Its result, or why it failed. */
  bytes: Buffer;
}

const EVENTS: readonly (keyof JobServerEvents)[] = [
  'submitted',
  'assigned',
  'completed',
  'failed',
  'cancelled',
  'requeued',
  'workerJoined',
  'workerLeft',
  'shutdown',
  'audit',
];

/**
 * The job server of this app, to be injected.
 *
 * It starts when it is first connected to or in `onModuleInit`, whichever is
 * first, since Nest calls `listen` of a hybrid app's strategies before any
 * `onModuleInit`; and it stops in `onApplicationShutdown`, after every
 * strategy of the app has closed.
 *
 * It is an address as well: `servers: [jobServer]` in a client or a strategy
 * connects within the process, without a port.
 */
@Injectable()
export class GearmanJobServer implements OnModuleInit, OnApplicationShutdown, AppMetricSource {
  readonly [METRIC_SOURCE] = true;
  /** How logs name it among a client's job servers. */
  readonly name = 'embedded job server';
  /** Everything that happens, from the moment of subscription on. */
  readonly events$: Observable<JobServerEvent>;
  private readonly server: JobServer;
  private readonly logger: LoggerService = new Logger(GearmanJobServer.name);
  private starting: Promise<void> | undefined;
  private hasEnded = false;

  /** @throws InvalidOptionError for an option that cannot be meant. */
  constructor(@Inject(JOB_SERVER_OPTIONS) options: JobServerOptions) {
    this.server = new JobServer({
      log: (level, message, fields) => this.write(level, readableLine(message, fields)),
      ...options,
    });
    this.events$ = new Observable((subscriber) => {
      const listeners = EVENTS.map((type) => {
        const listener = (...args: unknown[]): void => subscriber.next({ type, args } as JobServerEvent);
        this.server.on(type, listener);
        return { type, listener };
      });
      return () => listeners.forEach(({ type, listener }) => this.server.off(type, listener));
    });
  }

  /** The job server itself, for what this class does not offer. */
  unwrap(): JobServer {
    return this.server;
  }

  /** The addresses it listens on, as clients write them; empty before it has started. */
  get addresses(): readonly string[] {
    return this.server.addresses;
  }

  /** The port of its first TCP listener. */
  get port(): number | undefined {
    return this.server.port;
  }

  /** Begins to listen; does nothing when it already does. Rejects when an address cannot be listened on. */
  start(): Promise<void> {
    this.hasEnded = false;
    this.starting ??= this.server.start().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  /** A connection within this process; a closed one once the job server was drained or its app has closed. */
  connect(): Duplex {
    // Who comes back because it has ended does not start it again.
    // A port that cannot be had does not matter to who needs none; onModuleInit reports it.
    if (!this.hasEnded) this.start().catch(() => undefined);
    return this.server.connect();
  }

  onModuleInit(): Promise<void> {
    return this.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.end({});
  }

  // --- what there is ---

  /** Everything it measures, as it is now; `GearmanMetricsModule` and `registerMetrics` read it. */
  metrics(): MetricFamily[] {
    return this.server.metrics();
  }

  functions(): FunctionSnapshot[] {
    return Array.from(this.server.engine.functions, functionSnapshot);
  }

  workers(): WorkerSnapshot[] {
    return [...this.server.sessions].filter(({ peer }) => peer.abilities.size > 0).map(workerSnapshot);
  }

  /** Every job in memory, one by one: there may be millions. */
  *jobs(): Iterable<JobSnapshot> {
    const { engine } = this.server;
    for (const job of engine.jobs()) yield jobSnapshot(engine, job);
  }

  /** A job by its handle, or undefined when there is none (any more). */
  job(handle: string): JobSnapshot | undefined {
    const { engine } = this.server;
    const job = engine.find(toByteString(handle));
    return job && jobSnapshot(engine, job);
  }

  /** Background jobs that failed for good, longest dead first; none without a storage. */
  async *deadLetters(): AsyncIterable<DeadLetterSnapshot> {
    for await (const page of this.server.deadLetters?.lines() ?? []) yield* page.map(deadLetterSnapshot);
  }

  /**
   * The kept result of a finished background job, or undefined: it is not
   * finished, or its result is no longer kept (`keepResults`). Why a dead letter
   * failed is known as long as it is there.
   */
  async result(handle: string): Promise<JobResult | undefined> {
    const found = await this.server.storedJobs?.find(toByteString(handle));
    if (found?.state !== 'complete' && found?.state !== 'failed') return undefined;
    const { state, result } = found;
    return { state, bytes: typeof result === 'string' ? Buffer.from(result, 'latin1') : Buffer.from(result) };
  }

  /** What its numbers were, and which jobs ended lately; kept only between `history.keep()` and its end. */
  get history(): History {
    return this.server.history;
  }

  // --- operations ---

  /** What an operator asks and does beyond the methods here: search, previews, looking on, purging, quiet workers. */
  get operations(): Operations {
    return this.server.operations;
  }

  /** Lets a dead letter wait again; false when there is none, or its unique is taken. */
  async replay(handle: string): Promise<boolean> {
    return (await this.server.deadLetters?.replay(toByteString(handle))) ?? false;
  }

  /** Deletes a dead letter; false when there is none. */
  async purge(handle: string): Promise<boolean> {
    return (await this.server.deadLetters?.purge(toByteString(handle))) ?? false;
  }

  /** Cancels a queued job, whose clients hear that it failed; a running one is not queued again. False when there is none. */
  async cancel(handle: string): Promise<boolean> {
    const name = toByteString(handle);
    return this.server.cancel(name);
  }

  /**
   * Limits how many jobs a submission may find in its function: one limit, or
   * one by priority; 0: no limit. With a storage it survives a restart, until
   * the function is dropped.
   *
   * @throws InvalidOptionError for anything but whole numbers from 0, and where too many functions have settings.
   */
  limitQueue(name: string, limit: number | { high: number; normal: number; low: number }): void {
    const limits = typeof limit === 'number' ? [limit, limit, limit] : [limit.high, limit.normal, limit.low];
    if (!limits.every((value) => Number.isSafeInteger(value) && value >= 0)) {
      throw InvalidOptionError.notAllowed('limit', limit, 'a whole number from 0, or one for each priority');
    }
    const [high, normal, low] = limits as [number, number, number];
    this.server.engine.createFunction(toByteString(name));
    refuse(this.server.engine.limitQueue(toByteString(name), [high, normal, low]));
  }

  /** Forgets a function, and what was set for it; false while it has workers or jobs, or when it is unknown. */
  dropFunction(name: string): boolean {
    return this.server.engine.dropFunction(toByteString(name)) === undefined;
  }

  /**
   * Gives no job of a function to any worker until {@link resume}; submissions
   * are accepted. With a storage it stays paused over a restart.
   *
   * @throws InvalidOptionError where too many functions have settings, or are known.
   */
  pause(name: string): void {
    refuse(this.server.engine.pause(toByteString(name)));
  }

  resume(name: string): void {
    this.server.engine.resume(toByteString(name));
  }

  /**
   * Ends it without loss: accepts no connection and no job any more, lets jobs
   * finish, and closes every connection. {@link start} opens it again.
   *
   * In the `beforeApplicationShutdown` of an app whose workers are elsewhere,
   * their jobs finish before it closes.
   *
   * @param options which jobs, and how long they may take. Default: those that run, for ever.
   * @throws InvalidOptionError
   */
  drain({ gracePeriod = Infinity, finish }: StopOptions = {}): Promise<void> {
    return this.end({ gracePeriod, ...(finish && { finish }) });
  }

  /** Reads the certificate files again, for new connections; those there are stay. What cannot be used is logged, and the old ones go on. */
  reloadCertificates(): void {
    this.server.reloadCertificates();
  }

  private async end(options: StopOptions): Promise<void> {
    validateStopOptions(options);
    this.hasEnded = true;
    await this.starting?.catch(() => undefined);
    this.starting = undefined;
    await this.server.stop(options);
  }

  private write(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    if (level === 'info') this.logger.log(message);
    else this.logger[level]?.(message);
  }
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw new InvalidOptionError('name', `is one too many: ${refusal.text}`);
}
