import { FewSet } from './few-set.js';
import { FunctionMask } from './function-mask.js';
import { FunctionStats } from './function-stats.js';
import { JobList } from './job-list.js';
import type { JobPack, PackedJob } from './job-pack.js';
import { JobQueue, type Packable } from './job-queue.js';
import { PRIORITIES, type ByteString, type JobSpec, type JobState, type Priority, type Workload } from './job-spec.js';
import { Rotation, type Place } from './rotation.js';
import type { Timer } from './timers.js';
import { TransientMap } from './transient-map.js';

/*
 * The three things the engine knows, which know each other: a job is one of a
 * function and may have a worker and clients; a function has queues of jobs and
 * workers; a peer runs jobs of functions and waits for jobs. They have state
 * and answer questions about it; what happens to them stands in JobLife (jobs),
 * Dispatcher (who gets what) and Engine (workers).
 */

/**
 * A time as a job keeps it: milliseconds in 32 bits, which take half as much
 * memory as the number they are the end of. Only {@link elapsed} reads it.
 */
export function shortTime(now: number): number {
  return now | 0;
}

/** The last part of the range of 32 bits means a time in the future, and reads as 0: 4.7 hours. */
const FUTURE = 2 ** 24;

/** The longest time ago that {@link timeBefore} can tell, in milliseconds: 24.8 days. */
const LONGEST_AGO = 2 ** 31 - 1;

/** The {@link shortTime} so many milliseconds before `now`. */
export function timeBefore(now: number, milliseconds: number): number {
  return shortTime(now - Math.min(milliseconds, LONGEST_AGO));
}

/** Milliseconds since a {@link shortTime}, right for 49 days: what is older reads as young again. */
export function elapsed(since: number, now: number): number {
  const past = (shortTime(now) - since) >>> 0;
  return past > 2 ** 32 - FUTURE ? 0 : past;
}

/** What is true of a job, a bit each: five fields would take five times the memory. */
const IS_BACKGROUND = 1;
const IS_STORED = 2;
const IS_SCHEDULED = 4;
const WAS_ABANDONED = 8;
const IS_CANCELLED = 16;

/** A job with a larger workload is not packed: a pack saves little beside so many bytes. */
const MAX_PACKED_BYTES = 4 * 1024;

/** How far a job is, as its worker last reported it; bytes, as PROTOCOL leaves them. */
interface Progress {
  readonly numerator: ByteString;
  readonly denominator: ByteString;
}

/** Nothing was reported. */
const NO_PROGRESS: Progress = { numerator: '0', denominator: '0' };

/** What few jobs have. */
type Extras = Pick<JobSpec, 'reducer' | 'metadata'>;

/**
 * A job known to this job server. Only the engine changes it. Millions may be
 * queued: a field costs 8 bytes of each, so what few jobs have shares one field.
 */
export class Job implements Packable<Job> {
  state: JobState = 'waiting';
  private flags = 0;
  /** How often a worker was lost while it ran. */
  losses = 0;
  private progress = NO_PROGRESS;
  /** How often a policy has let it run again; see `EngineListener.retryAfter`. */
  attempts = 0;
  /** The order of arrival: a job that comes back goes to its old place. */
  sequence = 0;
  /** When a worker could first take it; kept while it runs, and when it comes back. See {@link elapsed}. */
  readySince = 0;
  /** Since when it waits, or runs. */
  since = 0;
  /** Who runs it now. */
  worker: Peer | undefined;
  /** The worker whose time ran out: while the job waits, that worker runs it again by reporting about it. */
  lateWorker: Peer | undefined;
  /** Who waits for it: one entry a foreground submission. */
  clients: Peer[] | undefined;
  /** What is due for it: the end of its delay, of its worker's time, or of its waiting for a client. */
  timer: Timer | undefined;
  /** Its neighbours: in its queue while it waits, among its function's running jobs while it runs. */
  previous: Job | undefined;
  next: Job | undefined;
  /** The handle that its id stands for, where it is worth keeping. */
  spelledHandle: ByteString | undefined;
  /** Jobs that stand in its queue right behind it. */
  pack: JobPack | undefined;

  readonly unique: ByteString;
  readonly workload: Workload;
  readonly priority: Priority;
  private readonly extras: Extras | undefined;

  /**
   * @param id its number in this run of the job server, from which its handle is made.
   * @param givenHandle the handle it had before this run, for a job that came from storage.
   */
  constructor(
    readonly id: number,
    readonly givenHandle: ByteString | undefined,
    readonly function_: GearmanFunction,
    spec: JobSpec,
  ) {
    const { reducer, metadata } = spec;
    this.unique = spec.unique;
    this.workload = spec.workload;
    this.priority = spec.priority;
    this.extras = reducer === undefined && metadata === undefined ? undefined : { reducer, metadata };
    this.isBackground = spec.isBackground;
  }

  get reducer(): ByteString | undefined {
    return this.extras?.reducer;
  }

  get metadata(): ByteString | undefined {
    return this.extras?.metadata;
  }

  get numerator(): ByteString {
    return this.progress.numerator;
  }

  get denominator(): ByteString {
    return this.progress.denominator;
  }

  /** Its worker said how far it is. */
  report(numerator: ByteString, denominator: ByteString): void {
    this.progress = { numerator, denominator };
  }

  /** It is to run again, from the beginning. */
  forgetProgress(): void {
    this.progress = NO_PROGRESS;
  }

  /** It waits in the background, nothing has happened to it yet, and a pack can keep everything about it. */
  isPlain(): this is PackedJob {
    return (
      this.flags === IS_BACKGROUND &&
      this.unique === '' &&
      typeof this.workload === 'string' &&
      this.workload.length <= MAX_PACKED_BYTES &&
      this.givenHandle === undefined &&
      this.losses + this.attempts === 0 &&
      this.timer === undefined &&
      this.lateWorker === undefined &&
      this.clients === undefined &&
      this.extras === undefined &&
      this.pack === undefined
    );
  }

  like(pack: JobPack, index: number): Job {
    const { function_, priority } = this;
    const workload = pack.workloadAt(index);
    const spec = { function: function_.name, unique: '', workload, priority, isBackground: true, at: 0 };
    const job = new Job(pack.idAt(index), undefined, function_, spec);
    job.sequence = pack.sequenceAt(index);
    job.readySince = job.since = pack.readySinceAt(index);
    return job;
  }

  get isBackground(): boolean {
    return this.is(IS_BACKGROUND);
  }

  set isBackground(is: boolean) {
    this.mark(IS_BACKGROUND, is);
  }

  /** It is in storage too, and leaves it when it ends. */
  get isStored(): boolean {
    return this.is(IS_STORED);
  }

  set isStored(is: boolean) {
    this.mark(IS_STORED, is);
  }

  /** Storage counts it among the jobs with a time. */
  get isScheduled(): boolean {
    return this.is(IS_SCHEDULED);
  }

  set isScheduled(is: boolean) {
    this.mark(IS_SCHEDULED, is);
  }

  /** The worker that runs it was told that nobody waits for it any more. */
  get wasAbandoned(): boolean {
    return this.is(WAS_ABANDONED);
  }

  set wasAbandoned(was: boolean) {
    this.mark(WAS_ABANDONED, was);
  }

  /** Cancelled while running: it will not be queued again. */
  get isCancelled(): boolean {
    return this.is(IS_CANCELLED);
  }

  set isCancelled(is: boolean) {
    this.mark(IS_CANCELLED, is);
  }

  /** True when nobody waits for the result any more and nobody was promised it. */
  get isAbandoned(): boolean {
    return !this.isBackground && (this.clients === undefined || this.clients.length === 0);
  }

  private is(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  private mark(flag: number, is: boolean): void {
    if (is) this.flags |= flag;
    else this.flags &= ~flag;
  }
}

/**
 * One function: its waiting jobs, high before normal before low and the oldest
 * first within each, and the workers that registered it.
 */
export class GearmanFunction {
  readonly queues: readonly [JobQueue<Job>, JobQueue<Job>, JobQueue<Job>] = [
    new JobQueue<Job>(),
    new JobQueue<Job>(),
    new JobQueue<Job>(),
  ];
  /** Jobs that exist only in storage, by priority; they are fetched as the queue runs low. */
  readonly stored: [number, number, number] = [0, 0, 0];
  /** How many of these wait for their time, by priority. */
  readonly storedDelayed: [number, number, number] = [0, 0, 0];
  /** By priority, since when the oldest of these could be taken, on the engine's clock; missing until it is asked for. */
  storedSince: (number | undefined)[] | undefined;
  /** True while more jobs of that priority were asked for and have not come. */
  readonly isFetching: [boolean, boolean, boolean] = [false, false, false];
  /** Jobs by their coalescing key, waiting, delayed and running. */
  readonly uniques = new TransientMap<Job>();
  /** Workers that can be given or told of a job now. */
  readonly rotation = new Rotation<Peer>();
  /** The workers that registered it. */
  readonly workers = new Set<Peer>();
  /** The largest number of jobs a submission of each priority may find; 0: no limit. */
  limits: readonly [number, number, number];
  /** Its running jobs, the one first that was started first. */
  readonly runningJobs = new JobList<Job>();
  /** Delayed jobs by priority. */
  readonly delayed: [number, number, number] = [0, 0, 0];
  /** Sleepers that were woken for it and have not asked yet. */
  woken = 0;
  /** While true no worker is given a job of it. */
  isPaused = false;
  /** What its jobs have done; made at its first job. */
  private madeStats: FunctionStats | undefined;
  /** How many stored jobs of a priority are in its queue at most; more are asked for when half of them are left. */
  window: number;

  constructor(
    readonly name: ByteString,
    /** Its bit in every {@link FunctionMask}. */
    readonly number: number,
    limits: readonly [number, number, number],
    window: number,
  ) {
    this.limits = limits;
    this.window = window;
  }

  get running(): number {
    return this.runningJobs.length;
  }

  /** What its jobs have done, to be counted on. */
  get stats(): FunctionStats {
    return (this.madeStats ??= new FunctionStats());
  }

  /** True once it has had a job. */
  get hasStats(): boolean {
    return this.madeStats !== undefined;
  }

  /** How long the job runs that was started first, in milliseconds; 0 where none runs. */
  longestRunning(now: number): number {
    const { head } = this.runningJobs;
    return head ? elapsed(head.since, now) : 0;
  }

  /** Jobs in memory that a worker could take now. */
  get waiting(): number {
    const [high, normal, low] = this.queues;
    return high.length + normal.length + low.length;
  }

  /** Every job that is not running, by priority. */
  queued(priority: Priority): number {
    return this.queues[priority].length + this.delayed[priority] + this.stored[priority];
  }

  /** Those of them that wait for their time, by priority. */
  notYetDue(priority: Priority): number {
    return this.delayed[priority] + this.storedDelayed[priority];
  }

  /** Those that wait for a worker, by priority. */
  due(priority: Priority): number {
    return this.queued(priority) - this.notYetDue(priority);
  }

  /** Every job that waits for its time. */
  get delayedTotal(): number {
    return this.notYetDue(0) + this.notYetDue(1) + this.notYetDue(2);
  }

  /** Every job: waiting, delayed, stored and running. */
  get total(): number {
    let total = this.running;
    for (const priority of PRIORITIES) total += this.queued(priority);
    return total;
  }
}

/** Which kind of grab an assignment answers; decides how much of the job the worker is told. */
export type GrabKind = 'plain' | 'unique' | 'all';

/** What the engine says to one peer. */
export interface PeerListener {
  /** Worker: a job waits, ask for it (NOOP). */
  wake(): void;
  /** Worker: the answer to a grab that was kept (JOB_ASSIGN*). */
  assign(job: Job, kind: GrabKind): void;
  /** Worker: a kept grab is given back without a job (NO_JOB). */
  noJob(): void;
  /** Worker: nobody waits any more for a job it runs; it may go on. */
  abandoned(job: Job): void;
  /** Client: part of a result. */
  data(job: Job, bytes: Workload): void;
  /** Client: a warning. */
  warning(job: Job, bytes: Workload): void;
  /** Client: the job's progress changed. */
  progress(job: Job): void;
  /** Client: the job is done. */
  complete(job: Job, result: Workload): void;
  /** Client: the job failed. */
  fail(job: Job): void;
  /** Client: the job failed with an exception. */
  exception(job: Job, bytes: Workload): void;
}

/** One function a worker registered. */
export interface Ability {
  /** The longest a job of it may run, in milliseconds; 0: no limit. */
  timeout: number;
  /** Its number among all that the worker ever registered, from 1. */
  readonly registered: number;
  readonly place: Place<Peer>;
}

/**
 * One connection as the engine knows it: a client, a worker, or both.
 *
 *   awake --PRE_SLEEP--> sleeping --a job--> woken --grab--> awake
 *     |                                                        ^
 *     +--grab finds nothing, ALL_YOURS--> keeps grabs --a job--+
 */
export class Peer {
  clientId: ByteString = '-';
  /** It asked for WORK_EXCEPTION (OPTION_REQ exceptions). */
  wantsExceptions = false;
  /** It takes waits back, and wants to hear when nobody waits for what it runs (OPTION_REQ withdrawals). */
  knowsWithdrawals = false;
  /** It said ALL_YOURS: its grabs are kept until a job comes. */
  isPushed = false;
  isSleeping = false;
  /** It was woken and has not asked since: a second NOOP would break some clients. */
  isWoken = false;
  /** The function it was woken for, until it asks or takes too long to. */
  wokenFor: GearmanFunction | undefined;
  /** Due when a woken worker should have asked. */
  wakeTimer: Timer | undefined;
  /** Grabs kept open, oldest first. */
  readonly keptGrabs: GrabKind[] = [];
  abilities = new Map<GearmanFunction, Ability>();
  /** How many functions it ever registered. */
  registrations = 0;
  /** The same functions as bits. */
  readonly mask = new FunctionMask();
  /** By priority, the number of the function served last: the next one is asked first. */
  readonly lastServed: [number, number, number] = [-1, -1, -1];
  /** Rotations it was taken from; it returns to them when it can take a job again. */
  missingPlaces: Place<Peer>[] = [];
  /** Jobs it runs, oldest first. */
  readonly running = new FewSet<Job>();
  /** Jobs whose time ran out here and that wait since, with the time each was given, in milliseconds. */
  readonly late = new Map<Job, number>();
  /** Foreground jobs it waits for. */
  readonly waitsFor = new FewSet<Job>();
  /**
   * It has left: it is given nothing and told nothing any more, also while its jobs and functions
   * are still being dealt with.
   */
  isGone = false;
  /** An operator wants it to finish what it runs and get no more. */
  isQuiet = false;
  /** How many jobs it has ended. */
  done = 0;

  constructor(readonly listener: PeerListener) {}

  /** True when it can be given a job, or told of one, without having to ask first. */
  get isAvailable(): boolean {
    return (this.isSleeping && !this.isWoken) || this.keptGrabs.length > 0;
  }
}
