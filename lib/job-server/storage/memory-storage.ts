import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Adder, DueJobs, JobStorage, PageOptions, StorageListener } from './job-storage.js';
import { checkJob, checkOrigin, checkSetting, checkTime } from './job-limits.js';
import { closedError, StorageError } from './storage-error.js';
import {
  changedJob,
  type Death,
  type DeadLetter,
  type FoundJob,
  type FunctionCounts,
  type JobChanges,
  type JobCounters,
  type JobOutcome,
  type NewJob,
  type OnceOutcome,
  type StoredJob,
  type StoredPriority,
} from './stored-job.js';
import { MemoryQueues, type MemoryQueue } from './memory-queues.js';

/** A job and whether it is leased. */
interface Entry {
  job: StoredJob;
  isLeased: boolean;
}

/**
 * The contract in its simplest form: what every other storage is measured
 * against, and what tests use. It survives `close` and `open` of the same
 * object, but not the process.
 */
export class MemoryStorage implements JobStorage {
  readonly leaseTime = Infinity;

  private readonly entries = new Map<string, Entry>();
  private readonly uniques = new Map<string, Entry>();
  private readonly queues = new MemoryQueues();
  private readonly dead = new Map<string, DeadLetter>();
  private readonly ended = new Map<string, { function: string; outcome: JobOutcome }>();
  private readonly origins = new Set<string>();
  private readonly kept = new Map<string, string>();
  private listener: StorageListener | undefined;
  private sequence = 0;
  private readonly untold = new Set<MemoryQueue>();

  async open(listener: StorageListener): Promise<void> {
    if (this.listener) throw new StorageError('GEARMAN_STORAGE_IN_USE', 'the storage is open already: close it first');
    this.listener = listener;
    for (const entry of this.entries.values()) {
      if (entry.isLeased) this.giveBack(entry);
    }
  }

  async close(): Promise<void> {
    this.listener = undefined;
    this.untold.clear();
  }

  async flush(): Promise<void> {
    this.checkOpen();
  }

  add(job: NewJob, lease: boolean | 'always', adder: Adder): boolean {
    try {
      this.checkOpen();
      checkJob(job);
    } catch (error) {
      queueMicrotask(() => adder.refused(error as StorageError));
      return false;
    }
    const { isLeased, existing } = this.take(job, lease);
    queueMicrotask(() => adder.stored(existing));
    return isLeased;
  }

  async lease(functionName: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]> {
    this.checkOpen();
    const queue = this.queues.queue(functionName, priority);
    const jobs: StoredJob[] = [];
    while (jobs.length < count) {
      const job = queue.take(now);
      if (!job) break;
      (this.entries.get(job.handle) as Entry).isLeased = true;
      jobs.push(job);
    }
    return jobs;
  }

  async leaseOne(handle: string): Promise<StoredJob | undefined> {
    this.checkOpen();
    const entry = this.entries.get(handle);
    if (!entry || entry.isLeased) return undefined;
    this.queues.queueOf(entry.job).takeOut(entry.job);
    entry.isLeased = true;
    return entry.job;
  }

  async extend(handles: Iterable<string>): Promise<string[]> {
    this.checkOpen();
    return [...handles].filter((handle) => !this.leased(handle));
  }

  change(handle: string, { attempts, losses }: JobCounters): void {
    const entry = this.leased(handle);
    if (entry) entry.job = changedJob(entry.job, { attempts, losses });
  }

  release(handle: string, changes: JobChanges = {}): void {
    if (changes.at !== undefined) checkTime(changes.at);
    const entry = this.leased(handle);
    if (!entry) return;
    const job = changedJob(entry.job, changes);
    this.queues.queueOf(job).totalScheduled += Number(job.at > 0) - Number(entry.job.at > 0);
    entry.job = job;
    this.giveBack(entry);
  }

  done(handle: string, outcome?: JobOutcome): void {
    const entry = this.leased(handle);
    if (!entry) return;
    this.leave(entry);
    if (outcome) this.ended.set(handle, { function: entry.job.function, outcome });
  }

  bury(handle: string, error: string, now: number): void {
    const entry = this.leased(handle);
    if (!entry) return;
    this.leave(entry);
    this.dead.set(handle, { job: entry.job, error, diedAt: now });
  }

  async remove(handle: string): Promise<boolean> {
    this.checkOpen();
    const entry = this.entries.get(handle);
    if (!entry) return false;
    this.leave(entry);
    return true;
  }

  async findByHandle(handle: string): Promise<FoundJob | undefined> {
    this.checkOpen();
    const entry = this.entries.get(handle);
    if (entry) return { state: entry.isLeased ? 'leased' : 'waiting', job: entry.job };
    const letter = this.dead.get(handle);
    if (letter) return { state: 'dead', letter };
    const ended = this.ended.get(handle);
    return ended && { state: 'ended', ...ended };
  }

  async findByUnique(functionName: string, unique: string): Promise<StoredJob | undefined> {
    this.checkOpen();
    return this.uniques.get(uniqueKey(functionName, unique))?.job;
  }

  counts(): FunctionCounts[] {
    return this.queues.counts();
  }

  count(functionName: string): FunctionCounts {
    return this.queues.count(functionName);
  }

  due(now: number): DueJobs {
    return this.queues.due(now);
  }

  async *iterate(options: PageOptions = {}): AsyncGenerator<StoredJob[]> {
    this.checkOpen();
    for await (const entries of pagesOf(this.entries, options)) yield entries.map(({ job }) => job);
  }

  async *deadLetters(options: PageOptions = {}): AsyncGenerator<DeadLetter[]> {
    this.checkOpen();
    yield* pagesOf(this.dead, options);
  }

  async replay(handle: string): Promise<boolean> {
    this.checkOpen();
    const job = this.dead.get(handle)?.job;
    if (!job || (job.unique !== '' && this.uniques.has(uniqueKey(job.function, job.unique)))) return false;
    this.dead.delete(handle);
    this.enter({ job: { ...job, at: 0, attempts: 0, losses: 0, sequence: ++this.sequence }, isLeased: false });
    return true;
  }

  async purge(handle: string): Promise<boolean> {
    this.checkOpen();
    return this.dead.delete(handle);
  }

  settings(): ReadonlyMap<string, string> {
    return this.kept;
  }

  set(name: string, value: string | undefined): void {
    checkSetting(name, value, this.kept);
    if (!this.listener) return;
    if (value === undefined) this.kept.delete(name);
    else this.kept.set(name, value);
  }

  async forget(now: number, limit = 1_000): Promise<number> {
    this.checkOpen();
    const over = [...this.ended].filter(([, { outcome }]) => outcome.keepUntil <= now).slice(0, limit);
    for (const [handle] of over) this.ended.delete(handle);
    return over.length;
  }

  async addOnce(job: NewJob, origin: string, death?: Death): Promise<OnceOutcome> {
    this.checkOpen();
    checkJob(job);
    checkOrigin(origin);
    if (this.origins.has(origin)) return 'known';
    const isKnown = [this.entries, this.dead, this.ended].some((jobs) => jobs.has(job.handle));
    this.origins.add(origin);
    if (isKnown) return 'known';
    if (death) this.dead.set(job.handle, { job: { ...job, sequence: ++this.sequence }, ...death });
    else if (this.take(job, false).existing) return 'coalesced';
    return 'added';
  }

  async forgetOrigins(): Promise<number> {
    this.checkOpen();
    const count = this.origins.size;
    this.origins.clear();
    return count;
  }

  /** Takes a new job, unless there is one with its unique. */
  private take(job: NewJob, lease: boolean | 'always'): { isLeased: boolean; existing?: StoredJob } {
    const existing = job.unique === '' ? undefined : this.uniques.get(uniqueKey(job.function, job.unique));
    if (existing) return { isLeased: false, existing: existing.job };
    const isNext = job.at === 0 && !this.queues.queue(job.function, job.priority).hasReady;
    const isLeased = lease === 'always' || (lease && isNext);
    this.enter({ job: { ...job, sequence: ++this.sequence }, isLeased });
    return { isLeased };
  }

  private checkOpen(): void {
    if (!this.listener) throw closedError();
  }

  /** The entry of a job the caller holds. */
  private leased(handle: string): Entry | undefined {
    const entry = this.listener && this.entries.get(handle);
    return entry?.isLeased ? entry : undefined;
  }

  private enter(entry: Entry): void {
    const { job } = entry;
    this.entries.set(job.handle, entry);
    if (job.unique !== '') this.uniques.set(uniqueKey(job.function, job.unique), entry);
    const queue = this.queues.queueOf(job);
    queue.total++;
    if (job.at > 0) queue.totalScheduled++;
    if (!entry.isLeased) this.giveBack(entry);
  }

  private leave(entry: Entry): void {
    const { job } = entry;
    this.entries.delete(job.handle);
    if (job.unique !== '') this.uniques.delete(uniqueKey(job.function, job.unique));
    const queue = this.queues.queueOf(job);
    queue.total--;
    if (job.at > 0) queue.totalScheduled--;
    if (!entry.isLeased) queue.takeOut(job);
  }

  private giveBack(entry: Entry): void {
    entry.isLeased = false;
    const queue = this.queues.queueOf(entry.job);
    queue.wait(entry.job);
    this.tellReady(queue);
  }

  /** Tells the listener once for everything that happens before the event loop's next turn. */
  private tellReady(queue: MemoryQueue): void {
    if (this.untold.size === 0) setImmediate(() => this.tellAllReady());
    this.untold.add(queue);
  }

  private tellAllReady(): void {
    const queues = [...this.untold];
    this.untold.clear();
    for (const { name } of queues) this.listener?.ready(name.function, name.priority);
  }
}

/** One key for a function and a unique; a function holds no NUL, as the protocol separates arguments by it. */
function uniqueKey(functionName: string, unique: string): string {
  return `${functionName}\0${unique}`;
}

/**
 * What a map holds, in pages. It is walked while it changes: to copy it would
 * hold up everybody. So many entries are looked at as there were at first,
 * since it might grow as fast as it is walked.
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
