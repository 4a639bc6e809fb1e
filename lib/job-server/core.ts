import { EventEmitter } from 'node:events';
import { duplexPair, type Duplex } from 'node:stream';
import { Outbox, Turns, type ConnectionOptions } from '../connection/index.js';
import { Alarm, oneLine, SYSTEM_CLOCKS, VERSION, type Clocks } from '../ground/index.js';
import { submissionBytes } from '../protocol/index.js';
import type { MetricFamily, MetricSource } from '../telemetry/metrics/index.js';
import { Draining, validateStopOptions, type StopOptions } from './draining.js';
import { DeadLetters, Answer, DurableJobs, type DurableHost, type Submitted } from './durable/index.js';
import { Engine, Peer, Refusal, type ByteString, type EngineListener, type JobSpec } from './engine/index.js';
import { logFailure, Observer, type JobServerEvents } from './events/index.js';
import {
  answeringAtOnce,
  Listeners,
  sayGoodbye,
  Session,
  StallWatch,
  Traffic,
  type Conversation,
  type PeerInfo,
  type SessionHost,
} from './front/index.js';
import { handlePrefix } from './handle-prefix.js';
import {
  DEFAULT_MAX_FUNCTION_NAMES,
  JOB_SERVER_DEFAULTS,
  validateJobServerOptions,
  type JobServerOptions,
  type ResolvedOptions,
} from './job-server-options.js';
import { History } from './history/index.js';
import { JobServerMetrics } from './metrics/index.js';
import { Operations } from './operations/index.js';
import { Relay } from './relay/index.js';
import { scheduleHost, Schedules } from './schedules/index.js';
import { storageOf, type JobStorage } from './storage/index.js';

const SHUTTING_DOWN = new Refusal('SHUTTING_DOWN', 'This job server is ending; submit to another one');

/**
 * What a job server is made of: engine, fronts, storage, and the only timer. The
 * rooms of this package see it whole; users have {@link JobServer} in front of it.
 */
export class JobServerCore implements SessionHost, MetricSource {
  readonly engine: Engine;
  readonly sessions = new Set<Session>();
  readonly traffic = new Traffic();
  /** Where it listens. */
  readonly listeners: Listeners;
  private readonly stalls: StallWatch;
  /** What an operator asks of it and does to it. */
  readonly operations: Operations;
  readonly version = VERSION;
  readonly log: NonNullable<JobServerOptions['log']>;
  readonly verbosity: string;
  readonly shutdown: SessionHost['shutdown'];
  readonly authorize: SessionHost['authorize'];
  readonly storedJobs: DurableJobs | undefined;
  readonly deadLetters: DeadLetters | undefined;
  /** Its recurring jobs. */
  readonly schedules: Schedules;
  private readonly options: ResolvedOptions;
  private readonly connectionOptions: ConnectionOptions;
  /** Work that takes long shares the event loop by these. */
  readonly turns = new Turns();
  private lastNumber = 0;
  private isRunning = false;
  /** Aborted by a stop: a start that is under way opens nothing more. */
  private startup = new AbortController();
  private started: Promise<void> | undefined;
  private draining: Draining | undefined;
  /** Jobs that clients here wait for and that another job server of the same storage has. */
  private relay: Relay | undefined;
  private ending: Promise<void> | undefined;
  readonly time: Alarm;
  /** When it was started last. */
  startedAt: Date | undefined;
  private readonly measured: JobServerMetrics;
  /** Its numbers of the past, while somebody wants them. */
  readonly history: History;

  /**
   * @param clocks what it reads the time from. Default: the machine's clocks.
   * @throws InvalidOptionError for an option that is not allowed.
   */
  constructor(
    options: JobServerOptions = {},
    clocks: Clocks = SYSTEM_CLOCKS,
    /** Where it emits its events. */
    readonly events: EventEmitter<JobServerEvents> = new EventEmitter(),
  ) {
    this.time = new Alarm(clocks, () => this.wakeUp());
    validateJobServerOptions(options);
    this.options = { ...JOB_SERVER_DEFAULTS, ...withoutUndefined(options) };
    const { maxPacketBytes, maxSendBufferBytes } = this.options;
    this.connectionOptions = { maxPacketBytes, maxSendBufferBytes, outbox: new Outbox(this.turns), turns: this.turns };
    this.stalls = new StallWatch(this.sessions, this.options, this.time);
    const { log } = options;
    // Peers choose their names, which stand in many lines: a line break in one must not begin a line.
    this.log = log ? (level, message, fields) => log(level, oneLine(message), fields) : () => undefined;
    const accept = (stream: Duplex, info: PeerInfo): void => this.accept(stream, info);
    this.listeners = new Listeners(this.options, accept, this.log, this.traffic);
    this.verbosity = this.options.verbosity;
    this.authorize = options.authorize && answeringAtOnce(options.authorize);
    // Emitted once the admin has its answer.
    const tellShutdown = (isGraceful: boolean): void =>
      void setImmediate(() => this.events.emit('shutdown', isGraceful));
    this.shutdown = this.options.shutdownCommand ? tellShutdown : undefined;
    const observer = new Observer(this.events, () => this.engine, this.log);
    this.engine = new Engine(
      { ...this.options, handlePrefix: handlePrefix(options.jobHandlePrefix) },
      this.listener(observer),
    );
    this.engine.tick(this.time.now, this.time.date);
    const storage = options.storage && storageOf(options.storage);
    this.storedJobs = storage && this.keepIn(storage, observer);
    this.history = new History(() => {
      this.tick();
      return this.engine;
    });
    this.operations = new Operations(this, this.turns);
    this.schedules = new Schedules(scheduleHost(this));
    this.schedules.declare('options', this.options.schedules);
    this.measured = new JobServerMetrics(this, this.options.metrics.maxFunctions ?? DEFAULT_MAX_FUNCTION_NAMES);
    this.deadLetters = storage && new DeadLetters(storage, this.time, (name) => this.storedJobs?.replayed(name));
  }

  /** Its limits; 0: any number. */
  get limits(): Pick<ResolvedOptions, 'maxConnections' | 'maxFunctions' | 'maxJobs' | 'maxPacketBytes'> {
    const { maxConnections, maxFunctions, maxJobs, maxPacketBytes } = this.options;
    return { maxConnections, maxFunctions, maxJobs, maxPacketBytes };
  }

  /** What its storage is called in the options; `own` for one that was brought along. */
  get storageKind(): string | undefined {
    const { storage } = this.options;
    return storage && ('type' in storage ? storage.type : 'own');
  }

  /**
   * Begins to listen, once a stop that is under way is over. Does nothing when it
   * already listens. When it is stopped meanwhile, this resolves and nothing listens.
   *
   * @throws ListenError when an address cannot be listened on; then nothing is.
   */
  start(): Promise<void> {
    return (this.started ??= this.begin(this.startup.signal));
  }

  /**
   * A connection from within this process, as if a client or worker had
   * dialled. After the job server was told to end, the connection is closed at
   * once.
   */
  connect(): Duplex {
    const [near, far] = duplexPair();
    // As with a socket: what one side ends or destroys is over for the other too.
    near.once('end', () => near.end());
    near.once('close', () => far.destroy());
    far.once('close', () => near.destroy());
    if (this.ending) far.destroy();
    else this.accept(far, { address: 'in-process', admin: 'allowed' });
    return near;
  }

  /**
   * Ends the job server: it accepts nothing more, lets jobs finish if there is
   * a grace period, sends what waits, and closes every connection. Jobs that
   * are in no storage are lost. When this is called again before the end, the
   * new grace period counts.
   *
   * @throws InvalidOptionError
   */
  async stop(options: StopOptions = {}): Promise<void> {
    validateStopOptions(options);
    this.startup.abort();
    this.startup = new AbortController();
    this.started = undefined;
    this.isRunning = false;
    this.listeners.close();
    this.ending = this.end(options);
    await this.ending;
  }

  /** The largest packet accepted, in bytes. */
  get maxPacketBytes(): number {
    return this.options.maxPacketBytes;
  }

  /** Whether the results of background jobs can be asked for (`keepResults`). */
  get keepsResults(): boolean {
    return this.options.keepResults > 0;
  }

  /** Everything it measures, as it is now: for Prometheus' text format, a registry, or OpenTelemetry. */
  metrics(): MetricFamily[] {
    return this.measured.metrics();
  }

  /** The same; in between, everything else has its turns of the event loop. */
  metricsInTurns(): Promise<MetricFamily[]> {
    return this.measured.metricsInTurns();
  }

  /** How late its event loop is, in seconds: 99 of 100 times in the last ten seconds it was less late than this. */
  get eventLoopDelay(): number {
    return this.measured.eventLoopDelay;
  }

  /** Why it cannot accept background jobs now: its storage is not open, or cannot write. Undefined when it can. */
  get storageTrouble(): string | undefined {
    return this.storedJobs?.problem;
  }

  // --- what sessions ask for ---

  get isEnding(): boolean {
    return this.ending !== undefined;
  }

  tick(): void {
    this.storedJobs?.lookAtFence();
    this.engine.tick(this.time.now);
  }

  /**
   * Why it never accepts such a job: a packet larger than its limit would be
   * refused by every worker, one after the other.
   */
  refusalOf(spec: JobSpec): Refusal | undefined {
    const { maxPacketBytes } = this.options;
    const bytes = submissionBytes(spec);
    if (bytes <= maxPacketBytes) return undefined;
    return new Refusal(
      'PACKET_TOO_LARGE',
      `This job has ${bytes} bytes as a packet, and maxPacketBytes is ${maxPacketBytes}: raise it, or make the workload shorter`,
    );
  }

  submit(spec: JobSpec, client: Peer): Submitted | Answer {
    if (this.isEnding) return SHUTTING_DOWN;
    const refusal = this.refusalOf(spec);
    if (refusal) return refusal;
    if (this.storedJobs) return this.storedJobs.submit(spec, client);
    if (spec.at > 0) this.engine.tick(this.time.now, this.time.date);
    const job = this.engine.submit(spec, client);
    return job instanceof Refusal ? job : this.engine.handleOf(job);
  }

  /** Submits a background job that no client waits for. */
  async submitForNobody(spec: JobSpec): Promise<Submitted> {
    const submitted = this.submit(spec, nobody());
    return submitted instanceof Answer ? submitted.heard : submitted;
  }

  /**
   * Cancels a job that is here, that waits in storage, or that another job server of the same
   * storage has, which is told.
   */
  cancel(handle: ByteString): boolean | Promise<boolean> {
    const { engine, storedJobs } = this;
    if (!storedJobs?.isElsewhere(handle) && engine.cancel(handle)) return true;
    return storedJobs?.cancel(handle) ?? false;
  }

  /** Whether it accepts jobs: it has started, and is not ending. */
  get acceptsJobs(): boolean {
    return this.isRunning && !this.draining;
  }

  closed(conversation: Conversation): void {
    this.sessions.delete(conversation as Session);
  }

  // --- inside ---

  private async begin(stopped: AbortSignal): Promise<void> {
    // A stop that is under way would close what is opened here.
    if (this.ending) await this.ending.catch(() => undefined);
    if (stopped.aborted) return;
    this.isRunning = true;
    this.startedAt = new Date(this.time.date);
    this.draining = this.ending = undefined;
    this.engine.proceed();
    this.history.resume();
    this.relay?.restart();
    try {
      await this.storedJobs?.open();
      if (stopped.aborted) return;
      this.schedules.restart();
      // Its alarm was stopped with it: what waits for a time is set anew.
      this.wakeUp();
      await this.listeners.listen(this.options.listeners);
    } catch (error) {
      if (!stopped.aborted) await this.stop();
      throw error;
    }
  }

  private accept(stream: Duplex, info: PeerInfo): void {
    const { maxConnections } = this.options;
    if (maxConnections > 0 && this.sessions.size >= maxConnections) {
      this.log('warn', `${info.address}: refused: ${maxConnections} connections are open (maxConnections)`, {
        peer: info.address,
      });
      this.traffic.refused.limit++;
      stream.on('error', () => undefined).destroy();
      return;
    }
    const session = new Session(this, stream, info, ++this.lastNumber, this.connectionOptions);
    session.peer.wantsExceptions = this.options.exceptions;
    this.sessions.add(session);
    this.stalls.came();
  }

  /** What the engine tells goes to the storage first, then to whoever observes. */
  private listener(observer: Observer): EngineListener {
    return {
      due: (at) => this.time.at(at),
      later: () => this.turns.run(() => this.engine.work()),
      submitted: (job) => observer.submitted(job),
      assigned: (job, worker) => {
        this.operations.heard(job, 'started');
        observer.assigned(job, worker);
      },
      reported: (job, what, bytes) => this.operations.heard(job, what, bytes),
      triedInVain: (job, cause, why) => this.history.recent.triedInVain(job, cause, why),
      requeued: (job) => {
        this.storedJobs?.requeued(job);
        this.operations.heard(job, 'requeued');
        observer.requeued(job);
        this.draining?.look();
      },
      retryAfter: (job, cause) => this.storedJobs?.retryAfter(job, cause),
      parked: (job, delay) => {
        this.storedJobs?.parked(job, delay);
        this.operations.heard(job, 'requeued');
        observer.parked(job);
        this.draining?.look();
      },
      isBuried: (job) => this.storedJobs?.isBuried(job) ?? false,
      ended: (job, outcome, result, worker) => {
        this.storedJobs?.ended(job, outcome, result);
        this.operations.ended(job, outcome, result);
        this.history.recent.ended(job, worker, outcome, result);
        if (outcome === 'failed' && this.options.log) logFailure(this.log, this.engine, job, worker);
        observer.ended(job, outcome);
        this.draining?.look();
      },
      want: (function_, priority) => this.storedJobs?.want(function_, priority),
      functionSet: (name, settings) => this.storedJobs?.functionSet(name, settings),
      idle: (function_) => this.storedJobs?.idle(function_),
      oldestStored: (function_, priority) => this.storedJobs?.oldestStored(function_, priority),
      workerChanged: (worker) => observer.workerChanged(worker),
    };
  }

  private async end(options: StopOptions): Promise<void> {
    this.draining?.end();
    const draining = options.gracePeriod ? this.drain(options.gracePeriod, options.finish) : undefined;
    this.draining = draining;
    await draining?.over;
    // `stop` was called again meanwhile: that call ends the job server, and this one waits for it.
    if (this.draining !== draining) return this.ending;
    this.engine.halt();
    const { runningCount } = this.engine;
    if (runningCount > 0) this.log('warn', `ending: ${runningCount} jobs are still running`, { count: runningCount });
    await this.storedJobs?.prepareClose();
    this.relay?.close();
    await sayGoodbye(this.sessions);
    try {
      await this.storedJobs?.close();
    } finally {
      this.time.stop();
      this.measured.stop();
      this.history.end();
    }
  }

  /** Lets jobs finish. Peers that no job keeps here are sent elsewhere at once. */
  private drain(gracePeriod: number, finish: 'running' | 'all' = 'running'): Draining {
    const { runningCount } = this.engine;
    const limit = gracePeriod === Infinity ? '' : ` within ${gracePeriod} ms`;
    if (runningCount > 0) {
      this.log('info', `ending: ${runningCount} jobs are running and may finish${limit}`, { count: runningCount });
    }
    for (const session of this.sessions) session.closeUnlessNeeded(finish === 'all');
    return new Draining(this.engine, finish, gracePeriod);
  }

  private keepIn(storage: JobStorage, observer: Observer): DurableJobs {
    if (storage.isShared) this.relay = this.newRelay(storage);
    const host: DurableHost = {
      log: this.log,
      time: this.time,
      elsewhere: this.relay,
      heard: () => this.schedules.heard(),
      accepted: (spec, handle) => observer.stored(spec, handle),
    };
    return new DurableJobs(this.engine, storage, host, this.options);
  }

  private newRelay(storage: JobStorage): Relay {
    const { engine, log, time, maxPacketBytes, options } = this;
    return new Relay(
      {
        engine,
        log,
        time,
        maxPacketBytes,
        tick: () => this.tick(),
        find: (handle) => storage.findByHandle(handle),
        fetch: (handle) => this.storedJobs!.bring(handle),
      },
      options.relay,
    );
  }

  private wakeUp(): void {
    const { now, date } = this.time;
    const nextLook = this.stalls.tick(now);
    this.storedJobs?.lookAtFence();
    this.time.at(Math.min(this.engine.tick(now, date), nextLook));
    this.storedJobs?.tick({ now, date });
    this.relay?.tick(now);
    this.schedules.tick({ now, date });
  }
}

/** A client that hears nothing, for a job that no client waits for. */
function nobody(): Peer {
  const nothing = (): void => undefined;
  return new Peer({
    wake: nothing,
    assign: nothing,
    noJob: nothing,
    abandoned: nothing,
    data: nothing,
    warning: nothing,
    progress: nothing,
    complete: nothing,
    fail: nothing,
    exception: nothing,
  });
}

function withoutUndefined(options: JobServerOptions): JobServerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
