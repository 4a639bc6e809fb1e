import { fromByteString } from '../../protocol/index.js';
import type { Alarm } from '../alarm.js';
import {
  lookAgainFor,
  PRIORITIES,
  type ByteString,
  type Engine,
  type GearmanFunction,
  type Job,
  type Moment,
  type Priority,
  type StoredJobSpec,
} from '../engine/index.js';
import type { Log } from '../log.js';
import { specOf } from './job-record.js';
import type { JobStorage, StoredJob } from '../storage/index.js';

/** How long after jobs could not be fetched they are asked for again, in milliseconds. */
const RETRY_DELAY = 1_000;

/** What is known of one function's stored jobs, by priority. */
interface Feed {
  /** How many of them the engine holds. */
  readonly held: [number, number, number];
  /** How many of these the storage counts as scheduled. */
  readonly heldScheduled: [number, number, number];
  /** How often the storage said that some can be leased. */
  readonly news: [number, number, number];
}

/**
 * Brings stored jobs to the engine as its queues run low, and tells it how many
 * wait in storage only:
 *
 *   all that storage has = those that wait there only + those the engine holds
 *
 * The storage counts the first and this class the last, so the middle cannot
 * drift, whatever happens in which order.
 */
export class JobFeed {
  private readonly feeds = new WeakMap<GearmanFunction, Feed>();
  /** Leases that were asked for and have not come. */
  private readonly underWay = new Set<Promise<unknown>>();
  /** Single jobs that are being fetched: many may want the same. */
  private readonly fetchingOne = new Map<ByteString, Promise<void>>();
  /** Jobs that were refused while a lease may bring them. */
  private readonly refused = new Set<ByteString>();
  /** Functions whose jobs could not be fetched, and when they are tried again. */
  private readonly failed = new Set<GearmanFunction>();
  private retryAt = Infinity;
  /** Functions that jobs came to which were not looked at. */
  private readonly newcomers = new Set<GearmanFunction>();

  /**
   * @param window how many jobs of a function and priority the engine holds.
   * @param time is told when `tick` should be called.
   */
  constructor(
    private readonly engine: Engine,
    private readonly storage: JobStorage,
    private readonly window: number,
    private readonly log: Log,
    private readonly time: Alarm,
  ) {}

  /** The storage was opened. */
  restart(): void {
    for (const { isFetching } of this.engine.functions) isFetching.fill(false);
    for (const { function: name } of this.storage.counts()) this.recount(this.functionOf(name));
  }

  /** The engine's function of this name, made known to it if need be: no limit refuses what was accepted before. */
  functionOf(name: ByteString): GearmanFunction {
    return this.engine.functions.find(name) ?? this.engine.functions.create(name);
  }

  /** Whether the engine may hold another job of a function and priority. */
  hasRoom(function_: GearmanFunction, priority: Priority): boolean {
    return function_.queues[priority].length < this.window;
  }

  /** A job that was leased comes to the engine. */
  takeIn(function_: GearmanFunction, job: StoredJobSpec): void {
    if (job.runAt > 0) this.engine.tick(this.time.now, this.time.date);
    this.count(function_, job.priority, job.runAt > 0, 1);
    if (!this.engine.restore(job)) this.count(function_, job.priority, job.runAt > 0, -1);
  }

  /** A job of the engine's is in storage from now on, and leased. */
  hold(job: Job): void {
    job.isStored = true;
    this.count(job.function_, job.priority, job.isScheduled, 1);
  }

  /** A job that was taken in, or held, is in storage no longer, or no longer here. */
  letGo(job: Job): void {
    job.isStored = false;
    this.count(job.function_, job.priority, job.isScheduled, -1);
  }

  /** A job could not be written: should a lease bring it, it is not taken in. */
  refuse(handle: ByteString): void {
    if (this.underWay.size > 0) this.refused.add(handle);
  }

  /** Tells the engine how many jobs of a function wait in storage only. */
  recount(function_: GearmanFunction): void {
    const { total, scheduled } = this.storage.count(function_.name);
    const { held, heldScheduled } = this.feedOf(function_);
    for (const priority of PRIORITIES) {
      function_.stored[priority] = Math.max(0, total[priority] - held[priority]);
      function_.storedDelayed[priority] = Math.max(0, scheduled[priority] - heldScheduled[priority]);
    }
  }

  /** Jobs of a function came, or were given back. */
  came(function_: GearmanFunction): void {
    this.recount(function_);
    this.engine.refill(function_);
  }

  /** A job of a function came, of many perhaps: they are looked at together, once what is being done is done. */
  cameOneOfMany(function_: GearmanFunction): void {
    if (this.newcomers.size === 0) queueMicrotask(() => this.lookAtNewcomers());
    this.newcomers.add(function_);
  }

  /** The engine runs low: leases more jobs for it. */
  want(function_: GearmanFunction, priority: Priority): void {
    this.track(this.fetch(function_, priority)).catch((error: Error) => {
      this.log('error', `storage: cannot fetch jobs of ${fromByteString(function_.name)}: ${error.message}`);
      this.failed.add(function_);
      this.retryAt = this.time.now + RETRY_DELAY;
      this.time.at(this.retryAt);
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

  /** Resolves when what was leased so far is here. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.underWay);
  }

  /** The storage says that jobs of this function and priority can be leased. */
  ready(name: ByteString, priority: Priority): void {
    const function_ = this.functionOf(name);
    this.feedOf(function_).news[priority]++;
    function_.isFetching[priority] = false;
    this.came(function_);
  }

  /** Fetches jobs whose time has come, and those that could not be fetched. */
  tick(moment: Moment): void {
    this.fetchDue(moment);
    if (moment.now >= this.retryAt) this.retry();
    else this.time.at(this.retryAt);
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
      for (const queue of ready) {
        this.ready(queue.function, queue.priority);
        this.wantUnasked(this.functionOf(queue.function), queue.priority);
      }
      this.time.at(lookAgainFor(next, moment));
    } catch (error) {
      this.log('error', `storage: cannot tell which jobs are due: ${(error as Error).message}`);
      this.time.at(moment.now + RETRY_DELAY);
    }
  }

  /** Jobs whose time has come, and that no worker has the engine ask for, come too: it counts them as waiting then. */
  private wantUnasked(function_: GearmanFunction, priority: Priority): void {
    if (function_.workers.size > 0 || function_.isFetching[priority] || !this.hasRoom(function_, priority)) return;
    function_.isFetching[priority] = true;
    this.want(function_, priority);
  }

  private async fetch(function_: GearmanFunction, priority: Priority): Promise<void> {
    const { news } = this.feedOf(function_);
    const newsBefore = news[priority];
    const count = this.window - function_.queues[priority].length;
    const jobs = await this.storage.lease(function_.name, priority, count, this.time.date);
    this.takeAllIn(function_, jobs);
    // Fewer than asked for: no more are ready, until the storage or the time says otherwise.
    function_.isFetching[priority] = jobs.length < count && news[priority] === newsBefore;
    this.engine.refill(function_);
  }

  private async fetchNow(handle: ByteString): Promise<void> {
    const isHere = await this.track(this.leaseOne(handle));
    // Where it is not, somebody else has it: another fetch of ours, or another owner.
    if (!isHere) await this.settled();
  }

  private async leaseOne(handle: ByteString): Promise<boolean> {
    const job = await this.storage.leaseOne(handle);
    if (job) this.takeAllIn(this.functionOf(job.function), [job]);
    return job !== undefined;
  }

  private takeAllIn(function_: GearmanFunction, jobs: readonly StoredJob[]): void {
    for (const job of jobs) if (!this.refused.has(job.handle)) this.takeIn(function_, specOf(job));
    this.recount(function_);
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

  private count(function_: GearmanFunction, priority: Priority, isScheduled: boolean, by: 1 | -1): void {
    const { held, heldScheduled } = this.feedOf(function_);
    held[priority] += by;
    if (isScheduled) heldScheduled[priority] += by;
  }

  private feedOf(function_: GearmanFunction): Feed {
    let feed = this.feeds.get(function_);
    if (!feed) this.feeds.set(function_, (feed = { held: [0, 0, 0], heldScheduled: [0, 0, 0], news: [0, 0, 0] }));
    return feed;
  }
}
