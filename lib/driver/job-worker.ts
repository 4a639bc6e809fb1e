import { BOOLEAN, checkNames, InvalidOptionError, optionOr, wholeNumber } from '../ground/index.js';
import { parseServers, type Endpoint } from '../connection/index.js';
import { toByteString } from '../protocol/index.js';
import type { FunctionOptions, JobHandler } from './assigned-job.js';
import type { MetricFamily, MetricSource } from '../telemetry/metrics/index.js';
import { DriverEmitter } from './driver-emitter.js';
import { DRIVER_OPTIONS, type DriverOptions } from './driver-options.js';
import { clientIdOption, durationOption, linkSettings } from './driver-settings.js';
import { ClosedError } from './errors.js';
import { ReadyWait } from './ready-wait.js';
import type { ServedFunction } from './running-job.js';
import { ServedStats, workerMetrics } from './worker-metrics.js';
import { WorkerLane, type WorkerLaneOwner } from './worker-lane.js';
import type { WorkerSessionSettings } from './worker-session.js';

/** Options of a {@link JobWorker}. */
export interface JobWorkerOptions extends DriverOptions {
  /** How many jobs run at once in this process, over all job servers; functions with their own do not count. Default 10. */
  concurrency?: number;
  /**
   * Whether a `WorkException` is sent as WORK_EXCEPTION through every job server. C
   * gearmand turns it into something that hangs or kills clients that did not ask
   * for exceptions (the `gearman` command, Perl's and others). So by default it is
   * sent a WORK_WARNING with the exception's bytes, which clients of this package
   * read, and WORK_FAIL. Say true if all clients ask for exceptions, as PHP's do.
   * Default false.
   */
  alwaysExceptions?: boolean;
  /** Asks for a job's reducer too (GRAB_JOB_ALL). Default false. */
  reducers?: boolean;
  /**
   * Lets a job server push assignments (ALL_YOURS) if it can, which saves a
   * round trip a job. With several job servers the worker pulls, so that each of
   * them can fill every slot. Default true.
   */
  push?: boolean;
  /**
   * How often a sleeping worker asks for jobs by itself, in milliseconds; 0
   * switches it off. C gearmand does not wake a worker for a job whose time
   * (`at`) has come. Default 5_000.
   */
  pollInterval?: number;
}

/** The name of every {@link JobWorkerOptions}; the compiler keeps it complete. */
export const JOB_WORKER_OPTIONS: Record<keyof JobWorkerOptions, true> = {
  ...DRIVER_OPTIONS,
  concurrency: true,
  alwaysExceptions: true,
  reducers: true,
  push: true,
  pollInterval: true,
};

/** How a worker closes. */
export interface CloseOptions {
  /** How long running jobs may take to finish, in milliseconds; then their signals abort and other workers get the jobs. Default 10_000. */
  gracePeriod?: number;
}

/**
 * Serves functions to all its job servers at once. It has a connection to each,
 * and connects and registers again whenever one is lost.
 *
 * Jobs are delivered at least once: when a connection is lost, the signals of
 * its jobs abort, their results are dropped, and the job server gives the jobs to
 * another worker, or to this one again.
 */
export class JobWorker extends DriverEmitter implements MetricSource {
  private readonly endpoints: readonly Endpoint[];
  private readonly settings: WorkerSessionSettings;
  private readonly pollInterval: number;
  private readonly names = new Set<string>();
  /** How often the connection to each job server was lost. */
  private readonly losses = new Map<string, number>();
  /** All functions without a `concurrency` of their own share the first lane. */
  private readonly lanes: WorkerLane[];
  private readonly wait: ReadyWait;
  private poll: NodeJS.Timeout | undefined;
  private isStarted = false;
  private closing: Promise<void> | undefined;

  /** @throws InvalidOptionError */
  constructor(options: JobWorkerOptions = {}) {
    super();
    checkNames(options, Object.keys(JOB_WORKER_OPTIONS), 'option of a JobWorker');
    this.endpoints = parseServers(options.servers, options.tls);
    this.settings = {
      ...linkSettings(options),
      clientId: clientIdOption(options.clientId),
      push: optionOr('push', options.push, true, BOOLEAN) && this.endpoints.length === 1,
      reducers: optionOr('reducers', options.reducers, false, BOOLEAN),
      alwaysExceptions: optionOr('alwaysExceptions', options.alwaysExceptions, false, BOOLEAN),
    };
    this.pollInterval = durationOption('pollInterval', options.pollInterval, 5_000, 0);
    this.lanes = [this.lane(slotsOption(options.concurrency, 10))];
    this.wait = new ReadyWait(this.settings.connectTimeout);
  }

  /** Names of all its job servers, in the order of `servers`. */
  get servers(): string[] {
    return this.endpoints.map(({ name }) => name);
  }

  /** Names of the job servers that are connected now. */
  get connectedServers(): string[] {
    return this.endpoints.map(({ name }) => name).filter((name) => this.connectionsTo(name) > 0);
  }

  /** How many handlers run now. */
  get runningJobs(): number {
    return this.lanes.reduce((sum, { running }) => sum + running, 0);
  }

  /** How this worker's jobs ended, by function, and the state of its connections. */
  metrics(): MetricFamily[] {
    return workerMetrics(
      this.lanes.flatMap(({ functions }) => [...functions.values()]),
      this,
      this.losses,
    );
  }

  /**
   * Serves a function from {@link start} on, or at once if the worker has started.
   *
   * @throws InvalidOptionError for a name that is not allowed, or is registered
   *   already; ClosedError after {@link close}
   */
  register(functionName: string, handler: JobHandler, options: FunctionOptions = {}): void {
    if (this.closing) throw new ClosedError('the worker');
    if (typeof functionName !== 'string' || functionName === '' || functionName.includes('\0')) {
      throw InvalidOptionError.notAllowed('function', functionName, 'a text, not empty, without NUL');
    }
    if (this.names.has(functionName))
      throw new InvalidOptionError('function', `must not be registered twice: ${functionName} is served already`);
    const added = served(functionName, handler, options);
    const lane = this.laneFor(functionName, options);
    this.names.add(functionName);
    lane.add(added);
    if (this.isStarted) lane.open();
  }

  /**
   * Connects to every job server; resolves when each function is registered at one of them at least.
   *
   * @throws NoServerError after `connectTimeout`; the attempts go on until {@link close}.
   * @throws ClosedError after {@link close}
   */
  async start(): Promise<void> {
    if (this.closing) throw new ClosedError('the worker');
    this.isStarted = true;
    const lanes = this.lanes.filter((lane, index) => lane.functions.size > 0 || (index === 0 && this.names.size === 0));
    for (const lane of lanes) lane.open();
    if (this.pollInterval > 0) this.poll ??= setInterval(() => this.look(), this.pollInterval).unref();
    await Promise.all(lanes.map((lane) => this.wait.forOneOf(lane.sessions.map(({ link }) => link))));
  }

  /**
   * Closes without losing jobs: takes no more of them, lets the running ones
   * finish, delivers their results, and disconnects. Jobs that have not finished
   * after `gracePeriod` are aborted, and given to other workers at once.
   */
  close({ gracePeriod }: CloseOptions = {}): Promise<void> {
    const patience = durationOption('gracePeriod', gracePeriod, 10_000, 0);
    this.closing ??= this.leave(patience);
    return this.closing;
  }

  private async leave(gracePeriod: number): Promise<void> {
    clearInterval(this.poll);
    this.wait.close('the worker');
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<'over'>((resolve) => (timer = setTimeout(resolve, gracePeriod, 'over')));
    const left = Promise.all(this.lanes.map((lane) => lane.leave()));
    if ((await Promise.race([left, patience])) === 'over') {
      await Promise.all(this.lanes.map((lane) => lane.abandon(new ClosedError('the worker'))));
    }
    clearTimeout(timer);
  }

  private connectionsTo(server: string): number {
    const links = this.lanes.flatMap((lane) => lane.sessions.map(({ link }) => link));
    return links.filter((link) => link.name === server && link.isReady).length;
  }

  private look(): void {
    for (const lane of this.lanes) lane.look();
  }

  private laneFor(functionName: string, { concurrency, timeout }: FunctionOptions): WorkerLane {
    durationOption(`${functionName}: timeout`, timeout, 0, 1);
    if (concurrency === undefined) return this.lanes[0]!;
    const lane = this.lane(slotsOption(concurrency, 1, `${functionName}: concurrency`));
    this.lanes.push(lane);
    return lane;
  }

  private lane(slots: number): WorkerLane {
    return new WorkerLane(this.endpoints, this.settings, slots, this.laneOwner);
  }

  private readonly laneOwner: WorkerLaneOwner = {
    ready: ({ link }) => {
      this.wait.arrived(link);
      if (this.connectionsTo(link.name) === 1) this.tell('connect', link.name);
    },
    lost: ({ name }, reason) => {
      if (this.connectionsTo(name) > 0) return;
      this.losses.set(name, (this.losses.get(name) ?? 0) + 1);
      this.tell('disconnect', name, reason);
    },
    retrying: ({ name }, reason, delay) => this.tell('reconnecting', name, reason, delay),
    report: ({ name }, error) => this.report(error, name),
  };
}

function slotsOption(value: number | undefined, fallback: number, option = 'concurrency'): number {
  return optionOr(option, value, fallback, wholeNumber(1, Infinity, 'jobs'));
}

function served(name: string, handler: JobHandler, options: FunctionOptions): ServedFunction {
  if (typeof handler !== 'function') throw InvalidOptionError.notAllowed(`${name}: handler`, handler, 'a function');
  return { name, bytes: toByteString(name), handler, options, stats: new ServedStats() };
}
