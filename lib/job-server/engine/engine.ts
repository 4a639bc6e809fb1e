import { MAX_FUNCTION_BYTES, MAX_UNIQUE_BYTES } from '../../ground/index.js';
import {
  coalescingKey,
  PRIORITIES,
  type ByteString,
  type JobHistory,
  type JobSpec,
  type Priority,
  type Workload,
} from './job-spec.js';
import {
  type Ability,
  elapsed,
  type GearmanFunction,
  type GrabKind,
  type Job,
  Peer,
  type PeerListener,
} from './model.js';
import { Abilities } from './abilities.js';
import type { EngineListener } from './listener.js';
import type { Chore } from './chores.js';
import { Clock } from './clock.js';
import type { Dispatcher } from './dispatcher.js';
import { ENGINE_DEFAULTS, type EngineOptions } from './engine-options.js';
import { NOTHING_SET, type FunctionSettings } from './function-settings.js';
import { Functions } from './functions.js';
import { JobTable } from './job-table.js';
import { clientsOf } from './client-news.js';
import { JobLife } from './job-life.js';
import {
  FUNCTION_BUSY,
  FUNCTION_NOT_FOUND,
  JOB_NOT_FOUND,
  QUEUE_FULL,
  FUNCTION_TOO_LARGE,
  TOO_MANY_FUNCTIONS,
  TOO_MANY_SETTINGS,
  UNIQUE_TOO_LARGE,
  type Refusal,
} from './refusal.js';

/** Why a job failed, where its worker gave no reason. */
const REPORTED_FAILURE = 'its worker reported failure';

/**
 * The job server's mind: jobs, functions, queues, coalescing, timeouts.
 *
 * Pure and synchronous. It knows no socket, packet or promise, reads no clock and
 * arms no timer: it is told who is there, what they say and what time it is
 * ({@link tick}), and tells back through {@link PeerListener} and
 * {@link EngineListener}. Every operation costs the same however many jobs,
 * workers and connections there are. Only two look at functions one by one: a
 * grab, at one bit of each, 32 at once (with `order: '1.1'` also at each function
 * of its worker that has a job waiting), and {@link findByUnique}, which names no
 * function and asks each.
 */
export class Engine {
  /** All functions ever registered or submitted to, until dropped. */
  readonly functions: Functions;
  private readonly options: Required<EngineOptions>;
  private readonly clock: Clock;
  private readonly life: JobLife;
  private readonly dispatcher: Dispatcher;
  private readonly table: JobTable;
  private readonly abilities: Abilities;

  constructor(
    options: EngineOptions,
    private readonly listener: EngineListener,
  ) {
    this.options = { ...ENGINE_DEFAULTS, ...options };
    this.table = new JobTable(this.options.handlePrefix);
    this.functions = new Functions(this.options, this.table);
    this.clock = new Clock((at) => listener.due(at));
    this.life = new JobLife(this.options, this.table, this.functions, this.clock, listener);
    this.dispatcher = this.life.dispatcher;
    this.abilities = new Abilities(this.functions, this.life, listener);
  }

  // --- time and presence ---

  /**
   * Tells the time, and does what is due.
   *
   * @param now milliseconds on a clock that nobody sets, for durations.
   * @param date milliseconds since 1970. To be told before a job that has a time
   *   is submitted, and whenever something is due; otherwise it may be left out.
   * @returns when something is due next, as `now` counts; Infinity: never.
   */
  tick(now: number, date?: number): number {
    return this.clock.tick(now, date);
  }

  /** A peer has connected. */
  join(listener: PeerListener): Peer {
    return new Peer(listener);
  }

  /** Goes on with large work that earlier turns did not finish; true when there is more, for another turn. */
  work(): boolean {
    return this.life.chores.work();
  }

  /**
   * A connection is gone: its running jobs wait again, the foreground jobs only it
   * waited for are abandoned. It is given nothing from now on; where it has a
   * great many jobs or functions, they are dealt with in turns ({@link work}).
   */
  leave(peer: Peer): void {
    peer.isGone = true;
    peer.isSleeping = false;
    peer.keptGrabs.length = 0;
    const { abilities } = peer;
    if (abilities.size > 0) this.abilities.clear(peer);
    if (abilities.size + peer.waitsFor.size + peer.running.size + peer.late.size === 0) return;
    this.life.chores.begin(this.leaving(peer, abilities));
  }

  /** For how long the oldest job of a function could have been taken, in milliseconds; 0 where none waits. */
  oldestWaiting(function_: GearmanFunction): number {
    let oldest = 0;
    for (const priority of PRIORITIES) {
      const { head } = function_.queues[priority];
      // Jobs that wait in storage alone came after those that wait here.
      if (head) oldest = Math.max(oldest, elapsed(head.readySince, this.now));
      else if (function_.due(priority) > 0) {
        oldest = Math.max(oldest, this.listener.oldestStored?.(function_, priority) ?? 0);
      }
    }
    return oldest;
  }

  // --- workers ---

  /** CAN_DO, CAN_DO_TIMEOUT: the worker does a function; `timeout` in milliseconds, 0: none. */
  canDo(worker: Peer, name: ByteString, timeout = 0): Refusal | undefined {
    const function_ = this.functionOf(name);
    if (!function_) return noRoomFor(name);
    this.abilities.add(worker, function_, timeout);
    return undefined;
  }

  /**
   * CANT_DO: the worker no longer does a function. Jobs of it that it runs wait
   * again at once, as with gearmand, unless it is pushed to (ALL_YOURS).
   */
  cantDo(worker: Peer, name: ByteString): void {
    const function_ = this.functions.find(name);
    if (!function_ || !worker.abilities.has(function_)) return;
    this.abilities.giveUp(worker, function_);
  }

  /** RESET_ABILITIES: the worker no longer does anything; otherwise like {@link cantDo}. */
  resetAbilities(worker: Peer): void {
    this.abilities.giveUpAll(worker);
  }

  /** ALL_YOURS: the worker has no other job server; from now on its grabs are kept until a job comes. */
  allYours(worker: Peer): void {
    worker.isPushed = true;
  }

  /** PRE_SLEEP: the worker wants to be woken; at once if a job waits that it could do. */
  sleep(worker: Peer): void {
    this.dispatcher.sleep(worker);
  }

  /** GRAB_JOB*: the job, `kept` when the listener's `assign` or `noJob` answers later, or undefined for NO_JOB. */
  grab(worker: Peer, kind: GrabKind): Job | 'kept' | undefined {
    return this.dispatcher.grab(worker, kind);
  }

  // --- jobs ---

  /**
   * Accepts a job. Where a job of the same function and unique is not over yet,
   * the submission joins that one, which is returned.
   *
   * @param client who waits for the result of a foreground job.
   */
  submit(spec: JobSpec, client?: Peer): Job | Refusal {
    const existing = this.findCoalescing(spec);
    if (existing) {
      this.life.attach(existing, spec, client);
      return existing;
    }
    const refusal = this.refusalOf(spec);
    if (refusal) return refusal;
    return this.life.begin(this.functionOf(spec.function)!, spec, client);
  }

  /**
   * Queues a job that storage kept; false when it is here already.
   *
   * @param age for how long a worker could have taken it, in milliseconds; 0 also where nobody knows.
   */
  restore(spec: JobSpec, history: JobHistory, age = 0): boolean {
    if (this.table.find(history.handle)) return false;
    // It was accepted when it was submitted: no limit refuses it now.
    const function_ = this.functions.find(spec.function) ?? this.functions.create(spec.function);
    this.life.resume(function_, spec, history, age);
    return true;
  }

  /**
   * Adds a job that another job server has, under its handle there, for a client
   * here to wait for; `worker` reports about it as if it ran it.
   */
  follow(spec: JobSpec, history: JobHistory, client: Peer, worker: Peer): Job {
    return this.life.follow(spec, history, client, worker);
  }

  /** A waiting job that clients wait for is another job server's from now on: `worker` reports about it. */
  lend(job: Job, worker: Peer): void {
    this.life.lend(job, worker);
  }

  /** A job that another job server had waits here from now on; that is no loss of its worker. */
  takeOver(job: Job): void {
    this.life.takeOver(job);
  }

  /** A client waits for a job that is here, whatever it submitted. */
  waitFor(job: Job, client: Peer): void {
    this.life.waitFor(job, client);
  }

  /** The waiting jobs of a function and priority that storage keeps and clients wait for. */
  awaited(function_: GearmanFunction, priority: Priority): Job[] {
    const jobs: Job[] = [];
    for (let job = function_.queues[priority].head; job; job = job.next) {
      if (job.isStored && clientsOf(job).length > 0) jobs.push(job);
    }
    return jobs;
  }

  /** A handle for a job that goes to storage first, and comes here by {@link restore}. */
  nextHandle(): ByteString {
    return this.table.nextHandle();
  }

  /**
   * Undoes a submission that storage could not write: nobody is told. A worker that runs the job
   * already reports in vain.
   */
  withdraw(job: Job): void {
    if (job.state !== 'ended') this.life.end(job, 'cancelled');
  }

  /** Forgets a job that storage keeps and will bring again; nobody is told. */
  putAway(job: Job): void {
    this.life.putAway(job);
  }

  /**
   * Forgets waiting jobs that storage keeps, the youngest first, so that `keep` of
   * that function and priority are left; nobody is told. Those that clients wait
   * for stay. Returns the forgotten ones, to be given back to storage.
   */
  takeBack(function_: GearmanFunction, priority: Priority, keep: number): Job[] {
    return this.life.takeBack(function_, priority, keep);
  }

  /** Whether jobs of a function are given out: it has workers, and neither it nor everything is held up. */
  isServed(function_: GearmanFunction): boolean {
    return this.dispatcher.isServed(function_);
  }

  /** Asks storage for more jobs of a function if few are left here. */
  refill(function_: GearmanFunction): void {
    this.dispatcher.refill(function_);
  }

  /** The job a submission would join, if there is one. */
  findCoalescing(spec: JobSpec): Job | undefined {
    const key = coalescingKey(spec);
    return key === undefined ? undefined : this.functions.find(spec.function)?.uniques.get(key);
  }

  /** Why a new job would be refused, or undefined. */
  refusalOf(spec: JobSpec): Refusal | undefined {
    if (spec.unique.length > MAX_UNIQUE_BYTES) return UNIQUE_TOO_LARGE;
    if (this.table.size >= this.options.maxJobs) return QUEUE_FULL;
    const function_ = this.functionOf(spec.function);
    if (!function_) return noRoomFor(spec.function);
    const limit = function_.limits[spec.priority];
    return limit > 0 && function_.total >= limit ? QUEUE_FULL : undefined;
  }

  /** WORK_COMPLETE. */
  complete(worker: Peer, handle: ByteString, result: Workload): Refusal | undefined {
    const job = this.reportedBy(worker, handle);
    if (!job) return JOB_NOT_FOUND;
    const clients = this.life.end(job, 'completed', result);
    this.life.news.tellAll(job, clients, 'complete', result);
    return undefined;
  }

  /** WORK_FAIL; from a client of the job it cancels the job for that client. */
  fail(peer: Peer, handle: ByteString): Refusal | undefined {
    const job = this.reportedBy(peer, handle);
    if (job) {
      job.function_.stats.reportedFailures++;
      this.life.news.tellAll(job, this.life.fail(job, REPORTED_FAILURE), 'fail');
      return undefined;
    }
    const awaited = this.table.find(handle);
    if (!awaited || !peer.waitsFor.has(awaited)) return JOB_NOT_FOUND;
    this.life.detach(awaited, peer);
    return undefined;
  }

  /**
   * A client takes one of its waits for a job back. Queued and wanted by nobody
   * else, the job is dropped; running, its worker hears of it if it wants to.
   * Without effect when the client does not wait for it (any more).
   */
  withdrawWait(client: Peer, handle: ByteString): void {
    const job = this.table.find(handle);
    if (job && client.waitsFor.has(job)) this.life.withdraw(job, client);
  }

  /** WORK_EXCEPTION: ends the job; a client that did not ask for exceptions hears that it failed. */
  exception(worker: Peer, handle: ByteString, bytes: Workload): Refusal | undefined {
    const job = this.reportedBy(worker, handle);
    if (!job) return JOB_NOT_FOUND;
    job.function_.stats.exceptions++;
    this.life.news.tellAll(job, this.life.fail(job, bytes), 'exception', bytes);
    return undefined;
  }

  /** WORK_DATA. */
  data(worker: Peer, handle: ByteString, bytes: Workload): Refusal | undefined {
    const job = this.reportedBy(worker, handle);
    if (!job) return JOB_NOT_FOUND;
    this.life.news.tellAll(job, clientsOf(job), 'data', bytes);
    this.listener.reported?.(job, 'data', bytes);
    return undefined;
  }

  /** WORK_WARNING. */
  warning(worker: Peer, handle: ByteString, bytes: Workload): Refusal | undefined {
    const job = this.reportedBy(worker, handle);
    if (!job) return JOB_NOT_FOUND;
    this.life.news.tellAll(job, clientsOf(job), 'warning', bytes);
    this.listener.reported?.(job, 'warning', bytes);
    return undefined;
  }

  /** WORK_STATUS. */
  progress(worker: Peer, handle: ByteString, numerator: ByteString, denominator: ByteString): Refusal | undefined {
    const job = this.reportedBy(worker, handle);
    if (!job) return JOB_NOT_FOUND;
    job.report(numerator, denominator);
    this.life.news.tellAll(job, clientsOf(job), 'progress');
    this.listener.reported?.(job, 'progress', '');
    return undefined;
  }

  // --- questions ---

  find(handle: ByteString): Job | undefined {
    return this.table.find(handle);
  }

  /** The first job with a unique, whichever its function: each is asked. */
  findByUnique(unique: ByteString): Job | undefined {
    for (const function_ of this.functions) {
      const job = function_.uniques.get(unique);
      if (job) return job;
    }
    return undefined;
  }

  handleOf(job: Job): ByteString {
    const known = job.givenHandle ?? job.spelledHandle;
    if (known !== undefined) return known;
    const handle = this.table.handleOf(job.id);
    // Kept, since its clients and its worker hear it several times; not of background jobs, which wait by
    // the million.
    if (!job.isBackground) job.spelledHandle = handle;
    return handle;
  }

  /** The time it was last told, in milliseconds on the clock that durations are measured by. */
  get now(): number {
    return this.clock.now;
  }

  /** Every job in memory; may be walked in steps while jobs come and go. */
  jobs(): Iterable<Job> {
    return this.table;
  }

  get jobCount(): number {
    return this.table.size;
  }

  /** How many clients wait for results, each for each job it waits for, however they are connected. */
  get waitCount(): number {
    return this.life.waits;
  }

  /** How many jobs run now. */
  get runningCount(): number {
    return this.functions.running;
  }

  // --- administration ---

  /** Cancels a job: queued, its clients hear that it failed; running, it is left to its worker but not queued again. */
  cancel(handle: ByteString): boolean {
    const job = this.table.find(handle);
    if (!job) return false;
    if (job.state === 'running') job.isCancelled = true;
    else this.endCancelled(job);
    return true;
  }

  /** Cancels waiting jobs of a function, at most `count`, oldest first; returns how many there were. */
  purge(function_: GearmanFunction, count: number): number {
    let purged = 0;
    for (const queue of function_.queues) {
      for (let job = queue.head; job && purged < count; job = queue.head) {
        this.endCancelled(job);
        purged++;
      }
    }
    return purged;
  }

  /** Lets a delayed job wait for a worker at once; false when it is not delayed. */
  runNow(job: Job): boolean {
    return this.life.runNow(job);
  }

  /** A worker finishes what it runs, and gets no more jobs until it is quiet no longer. */
  setQuiet(worker: Peer, isQuiet: boolean): void {
    if (isQuiet === worker.isQuiet) return;
    if (isQuiet) this.dispatcher.quiet(worker);
    else this.dispatcher.rouse(worker);
  }

  /** Limits a function's queue, by priority; 0: no limit. A function that is not known yet is limited once it is. */
  limitQueue(name: ByteString, limits: readonly [number, number, number]): Refusal | undefined {
    return this.setFunction(name, { ...this.functions.settings.of(name), limits });
  }

  /** Makes a function known before anybody registers it. */
  createFunction(name: ByteString): Refusal | undefined {
    return this.functionOf(name) ? undefined : noRoomFor(name);
  }

  /** Forgets a function that has neither workers nor jobs, and what was set for it. */
  dropFunction(name: ByteString): Refusal | undefined {
    const function_ = this.functions.find(name);
    if (function_ && (function_.workers.size > 0 || function_.total > 0)) return FUNCTION_BUSY;
    this.setFunction(name, NOTHING_SET);
    if (!function_) return FUNCTION_NOT_FOUND;
    this.functions.delete(function_);
    return undefined;
  }

  /** Gives no job of a function to anybody until {@link resume}. */
  pause(name: ByteString): Refusal | undefined {
    return this.setFunction(name, { ...this.functions.settings.of(name), isPaused: true });
  }

  /** Gives its jobs to workers again; never refused, as nothing is added. */
  resume(name: ByteString): undefined {
    this.setFunction(name, { ...this.functions.settings.of(name), isPaused: false });
  }

  /** Sets all that can be set for a function; a paused one is known from then on. */
  setFunction(name: ByteString, settings: FunctionSettings): Refusal | undefined {
    if (name.length > MAX_FUNCTION_BYTES) return FUNCTION_TOO_LARGE;
    if (!this.functions.settings.hasRoomFor(name, settings)) return TOO_MANY_SETTINGS;
    const function_ = settings.isPaused ? this.functionOf(name) : this.functions.find(name);
    if (settings.isPaused && !function_) return TOO_MANY_FUNCTIONS;
    this.functions.settings.set(name, settings);
    if (function_) {
      this.functions.applySettings(function_);
      this.goOn(function_);
    }
    this.listener.functionSet?.(name, settings);
    if (function_) this.dispatcher.noticeIdle(function_);
    return undefined;
  }

  /** Gives no job to any worker until {@link proceed}: what runs may end, what waits stays. */
  halt(): void {
    this.dispatcher.isHalted = true;
    for (const function_ of this.functions) this.dispatcher.noticeIdle(function_);
  }

  /** Gives out jobs again. */
  proceed(): void {
    this.dispatcher.isHalted = false;
    for (const function_ of this.functions) this.goOn(function_);
  }

  // --- inside ---

  private endCancelled(job: Job): void {
    this.life.news.tellAll(job, this.life.end(job, 'cancelled'), 'fail');
  }

  /** Gives out what waits, and asks for more. */
  private goOn(function_: GearmanFunction): void {
    this.dispatcher.offer(function_);
    this.dispatcher.refill(function_);
  }

  private functionOf(name: ByteString): GearmanFunction | undefined {
    const known = this.functions.find(name);
    if (known || this.functions.size >= this.options.maxFunctions || name.length > MAX_FUNCTION_BYTES) return known;
    return this.functions.create(name);
  }

  /** The job that a worker reports about: one that it runs, or one whose time ran out, which it then runs again. */
  private reportedBy(worker: Peer, handle: ByteString): Job | undefined {
    const job = this.table.find(handle);
    if (job?.worker === worker) return job;
    if (job?.lateWorker !== worker) return undefined;
    this.life.goOnLate(job);
    return job;
  }

  private *leaving(peer: Peer, abilities: ReadonlyMap<GearmanFunction, Ability>): Chore {
    // First the jobs it waits for: of those that it runs itself, one that nobody else waits for is
    // then abandoned.
    for (const job of peer.waitsFor) yield this.life.detach(job, peer);
    this.dispatcher.withdraw(peer, peer.wokenFor);
    yield* this.life.requeueAll(peer.running, peer);
    for (const job of peer.late.keys()) {
      job.lateWorker = undefined;
      yield;
    }
    peer.late.clear();
    yield* this.abilities.forgetting(peer, abilities);
  }
}

/** Why a function of this name cannot be made known. */
function noRoomFor(name: ByteString): Refusal {
  return name.length > MAX_FUNCTION_BYTES ? FUNCTION_TOO_LARGE : TOO_MANY_FUNCTIONS;
}
