import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Adder, DueJobs, FireOutcome, JobStorage, PageOptions, StorageListener } from '../job-storage.js';
import { checkJob, checkOrigin, checkSetting, checkTick, checkTime } from '../job-limits.js';
import { laterTick, tickName } from '../last-tick.js';
import { ReadyQueues } from '../ready-queues.js';
import { closedError, StorageError } from '../storage-error.js';
import { StorageWrites, type StorageHealth } from '../storage-health.js';
import {
  changedJob,
  placed,
  type DeadLetter,
  type FoundJob,
  type FunctionCounts,
  type Holder,
  type JobChanges,
  type JobCounters,
  type JobOutcome,
  type JobRecord,
  type OnceOutcome,
  type Past,
  type QueuedJob,
  type Removal,
  type Replay,
  type StoredJob,
  type StoredPriority,
} from '../stored-job.js';
import { MemoryJobs, type Entry, type MemoryOwner } from './memory-jobs.js';
import type { MemoryQueue } from './memory-queues.js';

/**
 * The contract in its simplest form: what every other storage is measured
 * against, and what tests use. It survives `close` and `open` of the same
 * object, but not the process.
 *
 * Owners that are made with the same jobs share them, as job servers share a
 * database:
 *
 * ```ts
 * const jobs = new MemoryJobs();
 * const one = new MemoryStorage(jobs, { name: 'one', address: '' });
 * const two = new MemoryStorage(jobs, { name: 'two', address: '' });
 * ```
 */
export class MemoryStorage implements JobStorage {
  readonly isShared: boolean;
  /** Set by tests, as if the others might soon take this owner for dead. */
  isFenced = false;
  private listener: StorageListener | undefined;
  /** This owner, as the jobs know it. */
  private readonly owner: MemoryOwner;
  /** It writes nothing. */
  private readonly writes = new StorageWrites();
  private readonly ready = new ReadyQueues<MemoryQueue>(
    (queue) => queue.name,
    ({ function: name, priority }) => this.listener?.ready(name, priority),
  );

  /** @param holder as what others know this owner; missing where there are no others. */
  constructor(
    private readonly jobs = new MemoryJobs(),
    readonly holder?: Holder | undefined,
  ) {
    this.isShared = holder !== undefined;
    this.owner = {
      holder,
      tellReady: (queue) => this.ready.add(queue),
      tellCancelled: (handle) => void setImmediate(() => this.listener?.cancel?.(handle)),
      tellSet: (name, value) => void setImmediate(() => this.listener?.set?.(name, value)),
    };
  }

  async open(listener: StorageListener): Promise<void> {
    if (this.listener) throw new StorageError('GEARMAN_STORAGE_IN_USE', 'the storage is open already: close it first');
    this.listener = listener;
    this.jobs.owners.add(this.owner);
  }

  async close(): Promise<void> {
    this.listener = undefined;
    this.jobs.owners.delete(this.owner);
    this.jobs.giveBackAllOf(this.owner);
  }

  /** Ends this owner's leases, as if it had stalled and were taken for dead. */
  lapse(): void {
    const lost = this.jobs.giveBackAllOf(this.owner);
    this.listener?.lost?.(lost);
  }

  async flush(): Promise<void> {
    this.checkOpen();
  }

  add(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    try {
      this.checkOpen();
      checkJob(job);
    } catch (error) {
      queueMicrotask(() => adder.refused(error as StorageError));
      return false;
    }
    const { isLeased, existing } = this.put(job, lease);
    // With several owners it is not known before the write who has a unique.
    const isLate = isLeased && this.isShared && lease !== 'always' && job.unique !== '';
    queueMicrotask(() => adder.stored(existing, isLate));
    return isLeased && !isLate;
  }

  async lease(functionName: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]> {
    this.checkOpen();
    const queue = this.jobs.queues.queue(functionName, priority);
    const jobs: StoredJob[] = [];
    while (jobs.length < count) {
      const job = queue.take(now);
      if (!job) break;
      (this.jobs.find(job.handle) as Entry).owner = this.owner;
      jobs.push(job);
    }
    return jobs;
  }

  async leaseOne(handle: string): Promise<StoredJob | undefined> {
    this.checkOpen();
    const entry = this.jobs.find(handle);
    if (!entry || entry.owner) return undefined;
    this.jobs.queues.queueOf(entry.job).takeOut(entry.job);
    entry.owner = this.owner;
    return entry.job;
  }

  change(handle: string, { attempts, losses }: JobCounters): void {
    const entry = this.leased(handle);
    if (entry) entry.job = changedJob(entry.job, { attempts, losses });
  }

  release(handle: string, changes: JobChanges = {}): void {
    if (changes.at !== undefined) checkTime(changes.at);
    const entry = this.leased(handle);
    if (!entry) return;
    entry.job = changedJob(entry.job, changes);
    this.jobs.giveBack(entry);
  }

  done(handle: string, outcome?: JobOutcome): void {
    const entry = this.leased(handle);
    if (!entry) return;
    this.jobs.drop(entry);
    if (outcome) this.jobs.ended.set(handle, { function: entry.job.function, outcome });
  }

  bury(handle: string, error: string, now: number): void {
    const entry = this.leased(handle);
    if (!entry) return;
    this.jobs.drop(entry);
    this.jobs.bury({ job: entry.job, error, diedAt: now });
  }

  async remove(handle: string): Promise<Removal> {
    this.checkOpen();
    const entry = this.jobs.find(handle);
    if (!entry) return 'unknown';
    if (entry.owner && entry.owner !== this.owner) {
      entry.owner.tellCancelled(handle);
      return 'told';
    }
    this.jobs.drop(entry);
    return 'removed';
  }

  async findByHandle(handle: string): Promise<FoundJob | undefined> {
    this.checkOpen();
    const entry = this.jobs.find(handle);
    if (entry) return this.queued(entry);
    const letter = this.jobs.dead.get(handle);
    if (letter) return { state: 'dead', letter };
    const ended = this.jobs.ended.get(handle);
    return ended && { state: 'ended', ...ended };
  }

  async findByUnique(unique: string, functionName?: string): Promise<QueuedJob | undefined> {
    this.checkOpen();
    const entry = this.jobs.findByUnique(unique, functionName);
    return entry && this.queued(entry);
  }

  counts(): FunctionCounts[] {
    return this.jobs.queues.counts();
  }

  count(functionName: string): FunctionCounts {
    return this.jobs.queues.count(functionName);
  }

  oldest(functionName: string, priority: StoredPriority, now: number): number | undefined {
    return this.jobs.queues.queue(functionName, priority).oldest(now);
  }

  health(): StorageHealth {
    return { backlog: 0, writes: this.writes, dead: this.jobs.deadCounts };
  }

  due(now: number): DueJobs {
    return this.jobs.queues.due(now);
  }

  async *iterate(options: PageOptions = {}): AsyncGenerator<StoredJob[]> {
    this.checkOpen();
    for await (const entries of pagesOf(this.jobs.entries, options)) yield entries.map(({ job }) => job);
  }

  async *deadLetters(options: PageOptions = {}): AsyncGenerator<DeadLetter[]> {
    this.checkOpen();
    yield* pagesOf(this.jobs.dead, options);
  }

  async replay(handle: string, { acceptedAt, reducer }: Replay = {}): Promise<boolean> {
    this.checkOpen();
    const job = this.jobs.dead.get(handle)?.job;
    if (!job || this.jobs.findByUnique(job.unique, job.function)) return false;
    this.jobs.unbury(handle);
    this.enter({ ...job, at: 0, attempts: 0, losses: 0, acceptedAt, reducer: reducer ?? job.reducer }, false);
    return true;
  }

  async purge(handle: string): Promise<boolean> {
    this.checkOpen();
    return this.jobs.unbury(handle);
  }

  settings(): ReadonlyMap<string, string> {
    return this.jobs.settings;
  }

  set(name: string, value: string | undefined): void {
    const { settings } = this.jobs;
    checkSetting(name, value, settings);
    if (!this.listener) return;
    if (value === undefined) settings.delete(name);
    else settings.set(name, value);
    for (const owner of this.jobs.owners) if (owner !== this.owner) owner.tellSet(name, value);
  }

  async fire(id: string, tick: number, job?: JobRecord): Promise<FireOutcome> {
    this.checkOpen();
    checkTick(id, tick);
    if (job) checkJob(job);
    const { settings } = this.jobs;
    const name = tickName(id);
    const value = laterTick(settings.get(name), tick, job?.handle);
    if (value === undefined) return 'known';
    checkSetting(name, value, settings);
    settings.set(name, value);
    if (job) this.put(job, false);
    return 'fired';
  }

  async forget(now: number, limit = 1_000): Promise<number> {
    this.checkOpen();
    const { ended } = this.jobs;
    const over = [...ended].filter(([, { outcome }]) => outcome.keepUntil <= now).slice(0, limit);
    for (const [handle] of over) ended.delete(handle);
    return over.length;
  }

  async addOnce(job: JobRecord, origin: string, past?: Past): Promise<OnceOutcome> {
    this.checkOpen();
    checkJob(job);
    checkOrigin(origin);
    const { dead, ended, origins } = this.jobs;
    if (origins.has(origin)) return 'known';
    const isKnown = [dead, ended].some((jobs) => jobs.has(job.handle)) || this.jobs.find(job.handle) !== undefined;
    origins.add(origin);
    if (isKnown) return 'known';
    if (past && 'result' in past) ended.set(job.handle, { function: job.function, outcome: past });
    else if (past) this.jobs.bury({ job: placed(job, this.jobs.nextSequence()), ...past });
    else if (this.put(job, false).existing) return 'coalesced';
    return 'added';
  }

  async forgetOrigins(): Promise<number> {
    this.checkOpen();
    const { origins } = this.jobs;
    const count = origins.size;
    origins.clear();
    return count;
  }

  /** Adds a new job, unless there is one with its handle or unique. */
  private put(job: JobRecord, lease: boolean | 'always'): { isLeased: boolean; existing?: StoredJob } {
    const existing = this.jobs.existing(job);
    if (existing) return { isLeased: false, existing: existing.job };
    const isNext = job.at === 0 && !this.jobs.queues.queue(job.function, job.priority).hasReady;
    const isLeased = lease === 'always' || (lease && isNext);
    this.enter(job, isLeased);
    return { isLeased };
  }

  private enter(job: JobRecord, isLeased: boolean): void {
    this.jobs.enter({ job: placed(job, this.jobs.nextSequence()), owner: isLeased ? this.owner : undefined });
  }

  private checkOpen(): void {
    if (!this.listener) throw closedError();
  }

  /** The entry of a job that the caller has leased. */
  private leased(handle: string): Entry | undefined {
    const entry = this.listener && this.jobs.find(handle);
    return entry?.owner === this.owner ? entry : undefined;
  }

  private queued({ job, owner }: Entry): QueuedJob {
    const state = owner ? 'leased' : 'waiting';
    return owner?.holder && owner !== this.owner ? { state, job, holder: owner.holder } : { state, job };
  }
}

/**
 * The entries of a map, in pages. The map is walked while it changes: copying
 * it would hold up everybody. At most as many entries are looked at as there
 * were at first, since it might grow as fast as it is walked.
 */
async function* pagesOf<Item extends { job: StoredJob }>(
  items: ReadonlyMap<string, Item>,
  { function: only, pageSize = 1_000 }: PageOptions,
): AsyncGenerator<Item[]> {
  let left = items.size;
  let untilTurn = pageSize;
  let page: Item[] = [];
  for (const item of items.values()) {
    if (left-- === 0) break;
    if (only === undefined || item.job.function === only) page.push(item);
    if (--untilTurn > 0 && page.length < pageSize) continue;
    if (page.length === pageSize) {
      yield page;
      page = [];
    }
    untilTurn = pageSize;
    await nextTurn();
  }
  if (page.length > 0) yield page;
}
