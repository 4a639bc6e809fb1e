import { aboutError } from '../../ground/index.js';
import { fromByteString } from '../../protocol/index.js';
import {
  lookAgainFor,
  PRIORITIES,
  type ByteString,
  type Engine,
  type GearmanFunction,
  type Job,
  type JobHistory,
  type JobSpec,
  type Moment,
  type Priority,
} from '../engine/index.js';
import type { DurableHost, Elsewhere } from './durable-host.js';
import { ageOf, specOf } from './job-record.js';
import { JobWindow } from './job-window.js';
import { WindowLimit } from './window-limit.js';
import type { JobStorage, StoredJob } from '../storage/index.js';

/** How long after a fetch failed its jobs are asked for again, in milliseconds. */
const RETRY_DELAY = 1_000;

/**
 * How long jobs stay with a job server that has no worker for them, where no other one shares the
 * storage, in milliseconds.
 */
const IDLE_TIME = 10_000;

/** How many jobs of a priority stay then: a worker that comes and asks once, without waiting, is to find one. */
const IDLE_WINDOW = 16;

/** The storage is asked how old jobs are at most so many times in an interval of so many milliseconds. */
const MAX_LOOKS = 500;
const LOOKS_INTERVAL = 1_000;

/** How long until jobs that clients wait for, and that nobody here runs, are looked at again, in milliseconds. */
const LOOK_AGAIN = 1_000;

/**
 * Brings stored jobs to the engine as its queues run low, tells it how many
 * wait in storage only, and gives back what nobody here can run.
 */
export class JobFeed {
  /** By function and priority, how often the storage said that some can be leased. */
  private readonly news = new WeakMap<GearmanFunction, [number, number, number]>();
  /** Leases that were asked for and have not come. */
  private readonly underWay = new Set<Promise<unknown>>();
  /** Single jobs that are being fetched: many may want the same. */
  private readonly fetchingOne = new Map<ByteString, Promise<void>>();
  /** Jobs that were refused while a lease may bring them. */
  private readonly refused = new Set<ByteString>();
  /** Functions whose jobs could not be fetched, and when they are tried again. */
  private readonly failed = new Set<GearmanFunction>();
  private retryAt = Infinity;
  /** Functions that had jobs whose time has come: whose comes next the storage tells once those are here. */
  private readonly due = new Set<ByteString>();
  /** Functions that no worker here does, and when their jobs are given back. */
  private readonly idle = new Map<GearmanFunction, number>();
  /** How often the storage was asked how old jobs are, and since when that is counted. */
  private looks = 0;
  private looksBegan = -Infinity;
  private readonly limit: WindowLimit;
  private readonly window: JobWindow | undefined;
  /** How many jobs of a priority may wait here for workers to come. */
  private readonly idleWindow: number;
  /** Others may have what is leased here: none of it is given to a worker. */
  isFenced = false;
  /** Functions to which jobs came that were not looked at yet. */
  private readonly newcomers = new Set<GearmanFunction>();

  /** @param window how many jobs of a function and priority the engine has at most. */
  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly host: DurableHost,
    window: number,
  ) {
    this.limit = new WindowLimit(window);
    this.window = storage.isShared ? new JobWindow(this.limit) : undefined;
    this.idleWindow = storage.isShared ? 0 : IDLE_WINDOW;
  }

  /** The storage was opened. */
  restart(): void {
    this.idle.clear();
    this.isFenced = false;
    for (const { isFetching } of this.engine.functions) isFetching.fill(false);
    for (const { function: name } of this.storage.counts()) this.recount(this.functionOf(name));
  }

  /** The engine's function of this name, made known to it if need be: no limit refuses what was accepted before. */
  functionOf(name: ByteString): GearmanFunction {
    return this.engine.functions.find(name) ?? this.engine.functions.create(name);
  }

  /** Whether the engine may have another job of a function and priority: somebody here could run it soon. */
  hasRoom(function_: GearmanFunction, priority: Priority): boolean {
    return this.roomFor(function_, priority) > 0;
  }

  /** Has {@link tick} called when a date has come. */
  wakeFor(date: number): void {
    const { time } = this.host;
    time.at(lookAgainFor(date, time));
  }

  private roomFor(function_: GearmanFunction, priority: Priority): number {
    if (this.isFenced) return 0;
    const { length } = function_.queues[priority];
    if (!this.engine.isServed(function_)) return Math.min(this.idleWindow, function_.window) - length;
    this.window?.set(function_, this.host.time.now);
    return function_.window - length;
  }

  /**
   * A job that was leased comes to the engine.
   *
   * @param age for how long a worker could have taken it, in milliseconds; 0 also where nobody knows.
   */
  takeIn(spec: JobSpec, history: JobHistory, age = 0): void {
    const { time } = this.host;
    if (spec.at > 0) this.engine.tick(time.now, time.date);
    this.learn(spec);
    if (this.engine.restore(spec, history, age)) return;
    // The job is still here: its lease was lost while it ran, and came back; or clients here waited for it while others
    // had it.
    const here = this.engine.find(history.handle);
    if (!here) return;
    here.isStored = here.isBackground = true;
    this.host.elsewhere?.leased(here);
  }

  /** Makes a function's window smaller where its workloads are long. */
  private learn({ function: name, workload }: JobSpec): void {
    if (!this.limit.minds(workload.length)) return;
    const function_ = this.functionOf(name);
    this.limit.learn(function_, workload.length);
    if (!this.window) function_.window = this.limit.of(function_);
  }

  /** A job whose lease came late: the worker that was to run it may have left meanwhile. */
  takeInLate(function_: GearmanFunction, spec: JobSpec, history: JobHistory): void {
    this.takeIn(spec, history);
    if (!this.isServed(function_)) this.becameIdle(function_);
  }

  /**
   * From now on others may have what is leased here: what waits is given back. Or they no longer
   * may: jobs are fetched again.
   */
  fence(isFenced: boolean): void {
    this.isFenced = isFenced;
    for (const function_ of this.engine.functions) {
      if (isFenced) {
        this.becameIdle(function_);
      } else {
        function_.isFetching.fill(false);
        this.came(function_);
      }
    }
  }

  /** Gives a waiting job back; clients here that wait for it still hear what becomes of it. */
  giveBackOne(job: Job): void {
    const { elsewhere } = this.host;
    this.storage.release(this.engine.handleOf(job));
    if (elsewhere && job.clients?.length) elsewhere.givenBack(job);
    else this.engine.putAway(job);
    this.recount(job.function_);
  }

  /** A job that was leased here has ended. */
  ended({ function_ }: Job): void {
    this.window?.ended(function_, this.host.time.now);
  }

  /** Nobody here is given jobs of a function any more: what waits is given back, at once where others can have it. */
  becameIdle(function_: GearmanFunction): void {
    if (this.storage.isShared) this.giveBack(function_, this.host.time.now);
    else if (!this.idle.has(function_)) this.lookLater(function_, this.host.time.now + IDLE_TIME);
  }

  /** Jobs whose leases are lost: those that wait are forgotten, those that run go on, and nobody writes what becomes of them. */
  lost(handles: readonly ByteString[]): void {
    const functions = new Set<GearmanFunction>();
    for (const handle of handles) {
      const job = this.engine.find(handle);
      if (!job?.isStored) continue;
      functions.add(job.function_);
      job.isStored = false;
      // It is another job server's background job now: here only clients that wait for it want it.
      job.isBackground = false;
      if (job.state !== 'running' && job.isAbandoned) this.engine.putAway(job);
    }
    for (const function_ of functions) this.came(function_);
  }

  /** A job could not be written: should a lease bring it, it is not taken in. */
  refuse(handle: ByteString): void {
    if (this.underWay.size > 0) this.refused.add(handle);
  }

  /** Tells the engine how many jobs of a function wait in storage only. */
  recount(function_: GearmanFunction): void {
    const { scheduled, waiting } = this.storage.count(function_.name);
    for (const priority of PRIORITIES) {
      function_.stored[priority] = waiting[priority];
      function_.storedDelayed[priority] = scheduled[priority];
    }
    function_.storedSince = undefined;
    this.engine.functions.touched.add(function_);
  }

  /**
   * For how long the oldest job of a function and priority could have been taken
   * that waits in storage alone; undefined where nobody knows. An answer for
   * which the storage reads the disk is remembered, and only {@link MAX_LOOKS}
   * of them are asked for in a second: there may be 100,000 functions.
   */
  oldest(function_: GearmanFunction, priority: Priority): number | undefined {
    const { date, now } = this.host.time;
    if (this.storage.isShared) {
      // The answer comes from memory, and others change it: it is not remembered.
      const since = this.storage.oldest?.(function_.name, priority, date);
      return since === undefined ? undefined : Math.max(0, date - since);
    }
    // Whole milliseconds, as the times of jobs are: rounding must not change a job's age from look to
    // look.
    const engineNow = Math.floor(this.engine.now);
    const known = (function_.storedSince ??= []);
    if (!(priority in known)) {
      if (now - this.looksBegan >= LOOKS_INTERVAL) {
        this.looksBegan = now;
        this.looks = 0;
      }
      if (this.looks >= MAX_LOOKS) return undefined;
      this.looks++;
      const since = this.storage.oldest?.(function_.name, priority, date);
      known[priority] = since === undefined ? undefined : engineNow - Math.max(0, date - since);
    }
    const since = known[priority];
    return since === undefined ? undefined : engineNow - since;
  }

  /** Jobs of a function came, or were given back. */
  came(function_: GearmanFunction): void {
    this.recount(function_);
    this.engine.refill(function_);
  }

  /** A job of a function came, perhaps one of many: all are looked at together, in a microtask. */
  cameOneOfMany(function_: GearmanFunction): void {
    if (this.newcomers.size === 0) queueMicrotask(() => this.lookAtNewcomers());
    this.newcomers.add(function_);
  }

  /** A queue of the engine runs low: leases more jobs for it. */
  want(function_: GearmanFunction, priority: Priority): void {
    // `fence` asks again when it is over.
    if (this.isFenced) return;
    this.track(this.fetch(function_, priority)).catch((error: Error) => {
      const name = fromByteString(function_.name);
      const about = { function: name, ...aboutError(error) };
      this.host.log('error', `storage: cannot fetch jobs of ${name}: ${error.message}`, about);
      this.failed.add(function_);
      this.retryAt = this.host.time.now + RETRY_DELAY;
      this.host.time.at(this.retryAt);
    });
  }

  /** Brings one job to the engine, wherever it waits; resolves when it is there, or has gone. */
  fetchOne(handle: ByteString): Promise<void> {
    let fetching = this.fetchingOne.get(handle);
    if (!fetching) {
      fetching = this.fetchNow(handle).finally(() => this.fetchingOne.delete(handle));
      this.fetchingOne.set(handle, fetching);
    }
    return fetching;
  }

  /** Resolves when all that was asked for so far is here. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  /** The storage says that jobs of this function and priority can be leased. */
  ready(name: ByteString, priority: Priority): void {
    const function_ = this.functionOf(name);
    this.newsOf(function_)[priority]++;
    function_.isFetching[priority] = false;
    this.came(function_);
  }

  /** Fetches jobs whose time has come, and those that could not be fetched. */
  tick(moment: Moment): void {
    this.fetchDue(moment);
    if (moment.now >= this.retryAt) this.retry();
    else this.host.time.at(this.retryAt);
    this.giveBackIdle(moment.now);
  }

  /** Asks again for what could not be fetched. */
  retry(): void {
    const functions = [...this.failed];
    this.failed.clear();
    this.retryAt = Infinity;
    for (const function_ of functions) for (const priority of PRIORITIES) this.ready(function_.name, priority);
  }

  private lookAtNewcomers(): void {
    const functions = [...this.newcomers];
    this.newcomers.clear();
    for (const function_ of functions) this.came(function_);
  }

  private fetchDue(moment: Moment): void {
    try {
      const { ready, next } = this.storage.due(moment.date);
      this.due.clear();
      for (const queue of ready) {
        this.due.add(queue.function);
        this.ready(queue.function, queue.priority);
        this.wantUnasked(this.functionOf(queue.function), queue.priority);
      }
      this.host.time.at(lookAgainFor(next, moment));
    } catch (error) {
      const line = `storage: cannot tell which jobs are due: ${(error as Error).message}`;
      this.host.log('error', line, aboutError(error));
      this.host.time.at(moment.now + RETRY_DELAY);
    }
  }

  /**
   * Fetches jobs whose time has come even where no worker makes the engine ask for them: it then
   * counts them as waiting.
   */
  private wantUnasked(function_: GearmanFunction, priority: Priority): void {
    if (function_.workers.size > 0 || function_.isFetching[priority] || !this.hasRoom(function_, priority)) return;
    function_.isFetching[priority] = true;
    this.want(function_, priority);
  }

  private async fetch(function_: GearmanFunction, priority: Priority): Promise<void> {
    const news = this.newsOf(function_);
    const newsBefore = news[priority];
    const count = Math.max(1, this.roomFor(function_, priority));
    const jobs = await this.storage.lease(function_.name, priority, count, this.host.time.date);
    this.takeAllIn(function_, jobs);
    // Fewer than asked for: no more are ready, until the storage or the time says otherwise.
    const isAll = jobs.length < count;
    function_.isFetching[priority] = isAll && news[priority] === newsBefore;
    if (isAll && this.due.delete(function_.name)) this.host.time.at(this.host.time.now);
    this.engine.refill(function_);
  }

  private async fetchNow(handle: ByteString): Promise<void> {
    if (this.isFenced) return;
    const isHere = await this.track(this.leaseOne(handle));
    // Where it is not here, somebody else has it: another fetch of ours, or another owner.
    if (!isHere) await this.settled();
  }

  private async leaseOne(handle: ByteString): Promise<boolean> {
    const job = await this.storage.leaseOne(handle);
    if (job) this.takeAllIn(this.functionOf(job.function), [job]);
    return job !== undefined;
  }

  private takeAllIn(function_: GearmanFunction, jobs: readonly StoredJob[]): void {
    const { date } = this.host.time;
    for (const job of jobs) {
      if (!this.refused.has(job.handle)) this.takeIn(specOf(job), job, ageOf(job, date));
      // This job server must not delete it: others may have been told its handle.
      else if (this.storage.isShared) this.storage.release(job.handle);
    }
    this.recount(function_);
    if (!this.isServed(function_)) this.becameIdle(function_);
  }

  private track<Result>(lease: Promise<Result>): Promise<Result> {
    this.underWay.add(lease);
    const over = (): void => {
      this.underWay.delete(lease);
      if (this.underWay.size === 0) this.refused.clear();
    };
    lease.then(over, over);
    return lease;
  }

  private isServed(function_: GearmanFunction): boolean {
    return !this.isFenced && this.engine.isServed(function_);
  }

  private giveBackIdle(now: number): void {
    for (const [function_, at] of this.idle) {
      if (this.engine.isServed(function_)) this.idle.delete(function_);
      else if (now >= at) this.giveBack(function_, now);
      else this.host.time.at(at);
    }
  }

  /**
   * Gives back what waits here, except jobs that clients wait for: where others could run those,
   * they are looked at again.
   */
  private giveBack(function_: GearmanFunction, now: number): void {
    for (const priority of PRIORITIES) {
      const jobs = this.engine.takeBack(function_, priority, this.idleWindow);
      for (const job of jobs) this.storage.release(this.engine.handleOf(job));
      if (this.host.elsewhere) this.giveBackAwaited(this.host.elsewhere, function_, priority);
    }
    this.recount(function_);
    if (this.storage.isShared && function_.waiting > 0) this.lookLater(function_, now + LOOK_AGAIN);
    else this.idle.delete(function_);
  }

  /** Gives back jobs that clients here wait for as well, where these hear what becomes of them all the same. */
  private giveBackAwaited(elsewhere: Elsewhere, function_: GearmanFunction, priority: Priority): void {
    for (const job of this.engine.awaited(function_, priority)) {
      this.storage.release(this.engine.handleOf(job));
      elsewhere.givenBack(job);
    }
  }

  private lookLater(function_: GearmanFunction, at: number): void {
    this.idle.set(function_, at);
    this.host.time.at(at);
  }

  private newsOf(function_: GearmanFunction): [number, number, number] {
    let news = this.news.get(function_);
    if (!news) this.news.set(function_, (news = [0, 0, 0]));
    return news;
  }
}
