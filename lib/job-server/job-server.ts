import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';
import {
  checkOption,
  InvalidOptionError,
  SYSTEM_CLOCKS,
  type Clocks,
  type LogFields,
  type OptionRule,
} from '../ground/index.js';
import { toByteString } from '../protocol/index.js';
import type { MetricFamily, MetricSource } from '../telemetry/metrics/index.js';
import { JobServerCore } from './core.js';
import type { StopOptions } from './draining.js';
import type { Refusal } from './engine/index.js';
import type { History } from './history/index.js';
import type { JobServerEvents } from './events/index.js';
import type { JobServerOptions } from './job-server-options.js';
import {
  deadLetterSnapshot,
  functionSnapshot,
  jobSnapshot,
  workerSnapshot,
  type DeadLetterSnapshot,
  type FunctionSnapshot,
  type JobSnapshot,
  type Operations,
  type WorkerSnapshot,
} from './operations/index.js';
import type { Schedules } from './schedules/index.js';

/** How a background job ended, where results are kept. */
export interface JobResult {
  state: 'complete' | 'failed';
  /** Its result, or why it failed. */
  bytes: Buffer;
}

/** How many jobs a submission may find in its function: one limit, or one by priority; 0: no limit. */
export type QueueLimits = number | { high: number; normal: number; low: number };

const QUEUE_LIMITS: OptionRule = {
  test: (value) => numbersOf(value as QueueLimits).every((limit) => Number.isSafeInteger(limit) && limit >= 0),
  allowed: 'a whole number from 0, or one for each priority',
};

/**
 * A Gearman job server. It tells what happens by events, {@link JobServerEvents}.
 *
 * ```ts
 * const jobServer = new JobServer({ listeners: [{ port: 4730 }] });
 * await jobServer.start();
 * const stream = jobServer.connect(); // a client in the same process
 * await jobServer.stop();
 * ```
 */
export class JobServer extends EventEmitter<JobServerEvents> implements MetricSource {
  private readonly core: JobServerCore;

  /**
   * @param clocks what it reads the time from. Default: the machine's clocks.
   * @throws InvalidOptionError for an option that is not allowed.
   */
  constructor(options: JobServerOptions = {}, clocks: Clocks = SYSTEM_CLOCKS) {
    super();
    this.core = new JobServerCore(options, clocks, this);
  }

  /** The version of this package. */
  get version(): string {
    return this.core.version;
  }

  /** The addresses it listens on, as clients write them; empty before it has started. */
  get addresses(): readonly string[] {
    return this.core.listeners.addresses;
  }

  /** The port of the first TCP listener, or undefined when there is none. */
  get port(): number | undefined {
    return this.core.listeners.port;
  }

  /** Whether it has been told to end. */
  get isEnding(): boolean {
    return this.core.isEnding;
  }

  /** Why it cannot accept background jobs now: its storage is not open, or cannot write. Undefined when it can. */
  get storageTrouble(): string | undefined {
    return this.core.storageTrouble;
  }

  /**
   * Begins to listen, once a stop that is under way is over. Does nothing when it
   * already listens. When it is stopped meanwhile, this resolves and nothing listens.
   *
   * @throws ListenError when an address cannot be listened on; then nothing is.
   */
  start(): Promise<void> {
    return this.core.start();
  }

  /**
   * Ends the job server: it accepts nothing more, lets jobs finish if there is
   * a grace period, sends what waits, and closes every connection. Jobs that
   * are in no storage are lost. When this is called again before the end, the
   * new grace period counts.
   *
   * @throws InvalidOptionError
   */
  stop(options: StopOptions = {}): Promise<void> {
    return this.core.stop(options);
  }

  /**
   * A connection from within this process, as if a client or worker had
   * dialled. After the job server was told to end, the connection is closed at
   * once.
   */
  connect(): Duplex {
    return this.core.connect();
  }

  /**
   * Reads the certificate files again, for connections made from now on; the
   * open connections stay. A file that cannot be used is logged, and the old
   * certificate stays in use.
   */
  reloadCertificates(): void {
    this.core.listeners.reloadCertificates();
  }

  /** Writes a line to its log, where it has one (`log`). */
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields?: LogFields): void {
    this.core.log(level, message, fields);
  }

  // --- what there is ---

  /** Everything it measures, as it is now: for Prometheus' text format, a registry, or OpenTelemetry. */
  metrics(): MetricFamily[] {
    return this.core.metrics();
  }

  /** The same; in between, everything else has its turns of the event loop: 100,000 functions are a lot to look at. */
  metricsInTurns(): Promise<MetricFamily[]> {
    return this.core.metricsInTurns();
  }

  /** How late its event loop is, in seconds: 99 of 100 times in the last ten seconds it was less late than this. */
  get eventLoopDelay(): number {
    return this.core.eventLoopDelay;
  }

  /** Every function it knows. */
  functions(): FunctionSnapshot[] {
    return Array.from(this.core.engine.functions, functionSnapshot);
  }

  /** Every connection that registered functions. */
  workers(): WorkerSnapshot[] {
    return [...this.core.sessions].filter(({ peer }) => peer.abilities.size > 0).map(workerSnapshot);
  }

  /** Every job in memory, one by one: there may be millions. */
  *jobs(): Iterable<JobSnapshot> {
    const { engine } = this.core;
    for (const job of engine.jobs()) yield jobSnapshot(engine, job);
  }

  /** A job by its handle, or undefined when there is none (any more). */
  job(handle: string): JobSnapshot | undefined {
    const { engine } = this.core;
    const job = engine.find(toByteString(handle));
    return job && jobSnapshot(engine, job);
  }

  /** Background jobs that failed for good, longest dead first; none without a storage. */
  async *deadLetters(): AsyncIterable<DeadLetterSnapshot> {
    for await (const page of this.core.deadLetters?.lines() ?? []) yield* page.map(deadLetterSnapshot);
  }

  /**
   * The kept result of a finished background job; undefined when the job is not
   * finished, or its result is no longer kept (`keepResults`). The reason why a
   * dead letter failed is known as long as the dead letter is there.
   */
  async result(handle: string): Promise<JobResult | undefined> {
    const found = await this.core.storedJobs?.find(toByteString(handle));
    if (found?.state !== 'complete' && found?.state !== 'failed') return undefined;
    const { state, result } = found;
    return { state, bytes: typeof result === 'string' ? Buffer.from(result, 'latin1') : Buffer.from(result) };
  }

  /** Its numbers of the past, and the jobs that ended last; they are kept only while somebody has called `history.keep()`. */
  get history(): History {
    return this.core.history;
  }

  /** Its recurring jobs. */
  get schedules(): Schedules {
    return this.core.schedules;
  }

  // --- operations ---

  /** What an operator needs beyond the methods here: search, previews, watching jobs, purging, quiet workers. */
  get operations(): Operations {
    return this.core.operations;
  }

  /** Lets a dead letter wait again; false when there is none, or its unique is taken. */
  async replay(handle: string): Promise<boolean> {
    return (await this.core.deadLetters?.replay(toByteString(handle))) ?? false;
  }

  /** Deletes a dead letter; false when there is none. */
  async purge(handle: string): Promise<boolean> {
    return (await this.core.deadLetters?.purge(toByteString(handle))) ?? false;
  }

  /** Cancels a queued job, whose clients hear that it failed; a running one is not queued again. False when there is none. */
  async cancel(handle: string): Promise<boolean> {
    return this.core.cancel(toByteString(handle));
  }

  /**
   * Limits how many jobs a submission may find in its function. With a storage
   * it survives a restart, until the function is dropped.
   *
   * @throws InvalidOptionError for anything but whole numbers from 0, and where too many functions have settings.
   */
  limitQueue(name: string, limit: QueueLimits): void {
    checkOption('limit', limit, QUEUE_LIMITS);
    const { engine } = this.core;
    engine.createFunction(toByteString(name));
    refuse(engine.limitQueue(toByteString(name), numbersOf(limit)));
  }

  /** Forgets a function, and what was set for it; false while it has workers or jobs, or when it is unknown. */
  dropFunction(name: string): boolean {
    return this.core.engine.dropFunction(toByteString(name)) === undefined;
  }

  /**
   * Gives no job of a function to any worker until {@link resume}; submissions
   * are accepted. With a storage it stays paused over a restart.
   *
   * @throws InvalidOptionError where too many functions have settings, or are known.
   */
  pause(name: string): void {
    refuse(this.core.engine.pause(toByteString(name)));
  }

  /** Gives jobs of a paused function to workers again. */
  resume(name: string): void {
    this.core.engine.resume(toByteString(name));
  }
}

function numbersOf(limit: QueueLimits): [high: number, normal: number, low: number] {
  return typeof limit === 'number' ? [limit, limit, limit] : [limit?.high, limit?.normal, limit?.low];
}

function refuse(refusal: Refusal | undefined): void {
  if (refusal) throw new InvalidOptionError('name', `cannot get settings: ${refusal.text}`);
}
