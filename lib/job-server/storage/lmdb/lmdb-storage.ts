import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Adder, DueJobs, FireOutcome, JobStorage, PageOptions, StorageListener } from '../job-storage.js';
import { checkJob, checkOrigin, checkSetting, checkTick, checkTime } from '../job-limits.js';
import { closedError, StorageError } from '../storage-error.js';
import { StorageWrites, type StorageHealth } from '../storage-health.js';
import {
  changedJob,
  noJobs,
  placed,
  type Death,
  type DeadLetter,
  type FoundJob,
  type FunctionCounts,
  type JobChanges,
  type JobCounters,
  type JobOutcome,
  type NewJob,
  type OnceOutcome,
  type QueuedJob,
  type Removal,
  type StoredJob,
  type StoredPriority,
} from '../stored-job.js';
import { JobEntry, type Fate } from './job-entry.js';
import { checkOptions, type LmdbStorageOptions } from './lmdb-options.js';
import { OpenStorage } from './open-storage.js';

/** How many functions are looked through at once. */
const AT_ONCE = 1_000;

const NO_SETTINGS: ReadonlyMap<string, string> = new Map();

/**
 * Jobs in a folder of their own, in one LMDB file: embedded, crash-safe, and
 * as fast with ten million jobs as with a few.
 *
 * Many submissions share one fsync. Memory holds what is leased and what is
 * not written yet; the rest is the file's, read when it is leased. Needs the
 * package `lmdb`.
 */
export class LmdbStorage implements JobStorage {
  readonly isShared = false;
  private readonly options: Required<LmdbStorageOptions>;
  private opened: OpenStorage | undefined;
  private isOpening = false;

  /** Throws a {@link StorageError} naming the option that is invalid. */
  constructor(options: LmdbStorageOptions) {
    this.options = checkOptions(options);
  }

  async open(listener: StorageListener): Promise<void> {
    if (this.opened || this.isOpening) {
      throw new StorageError('GEARMAN_STORAGE_IN_USE', 'the storage is open already: close it first');
    }
    this.isOpening = true;
    try {
      this.opened = await OpenStorage.open(this.options, listener);
    } finally {
      this.isOpening = false;
    }
  }

  async close(): Promise<void> {
    const { opened } = this;
    this.opened = undefined;
    await opened?.close();
  }

  async flush(): Promise<void> {
    await this.parts.flush();
  }

  add(job: NewJob, lease: boolean | 'always', adder: Adder): boolean {
    try {
      return this.addChecked(job, lease, adder);
    } catch (error) {
      queueMicrotask(() => adder.refused(error as StorageError));
      return false;
    }
  }

  async lease(functionName: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]> {
    const { parts } = this;
    // Jobs that end faster than the disk takes it would fill memory: no new ones until it has caught up.
    if (parts.isBehind) await parts.caughtUp();
    if (this.opened !== parts) return [];
    const { functions, leasing } = parts;
    const queue = functions.find(functionName)?.queues[priority];
    return queue ? leasing.lease(queue, count, now).map(({ job }) => job) : [];
  }

  async leaseOne(handle: string): Promise<StoredJob | undefined> {
    const { book, leasing } = this.parts;
    const entry = book.find(handle);
    if (!entry?.isWaiting) return undefined;
    leasing.hold(entry);
    return entry.job;
  }

  change(handle: string, { attempts, losses }: JobCounters): void {
    const entry = this.leased(handle);
    if (!entry) return;
    entry.job = changedJob(entry.job, { attempts, losses });
    this.parts.mark(entry, false);
  }

  release(handle: string, changes: JobChanges = {}): void {
    if (changes.at !== undefined) checkTime(changes.at);
    const entry = this.leased(handle);
    if (!entry) return;
    const job = changedJob(entry.job, changes);
    entry.queue.count(entry, -1);
    entry.job = job;
    entry.queue.count(entry, 1);
    this.parts.leasing.wait(entry);
    this.parts.mark(entry, false);
  }

  done(handle: string, outcome?: JobOutcome): void {
    const entry = this.leased(handle);
    if (entry) this.leave(entry, outcome ? { is: 'ended', outcome } : { is: 'gone' });
  }

  bury(handle: string, error: string, now: number): void {
    const entry = this.leased(handle);
    if (entry) this.leave(entry, { is: 'dead', letter: { job: entry.job, error, diedAt: now } });
  }

  async remove(handle: string): Promise<Removal> {
    const entry = this.parts.book.find(handle);
    if (!entry?.isQueued) return 'unknown';
    this.leave(entry, { is: 'gone' });
    return 'removed';
  }

  async findByHandle(handle: string): Promise<FoundJob | undefined> {
    const entry = this.parts.book.find(handle);
    switch (entry?.fate.is) {
      case 'queued':
        return queuedJob(entry);
      case 'dead':
        return { state: 'dead', letter: entry.fate.letter };
      case 'ended':
        return { state: 'ended', function: entry.job.function, outcome: entry.fate.outcome };
      case 'gone':
      case undefined:
        return undefined;
    }
  }

  async findByUnique(unique: string, functionName?: string): Promise<QueuedJob | undefined> {
    const { parts } = this;
    const { book, functions } = parts;
    const names = functionName === undefined ? functions.counts().map((counts) => counts.function) : [functionName];
    for (const [index, name] of names.entries()) {
      const row = functions.find(name);
      const entry = row && book.findByUnique(row.id, unique);
      if (entry?.isQueued) return queuedJob(entry);
      // There may be 100,000 functions, and others want their turn.
      if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
      if (this.opened !== parts) throw closedError();
    }
    return undefined;
  }

  counts(): FunctionCounts[] {
    return this.opened?.functions.counts() ?? [];
  }

  count(functionName: string): FunctionCounts {
    return this.opened?.functions.count(functionName) ?? noJobs(functionName);
  }

  health(): StorageHealth {
    const { backlog = 0, writes = new StorageWrites() } = this.opened?.commit ?? {};
    return { backlog, writes };
  }

  due(now: number): DueJobs {
    return this.opened?.leasing.due(now) ?? { ready: [], next: Infinity };
  }

  async *iterate(options: PageOptions = {}): AsyncGenerator<StoredJob[]> {
    for await (const entries of this.parts.pages('jobs', options)) {
      const jobs = entries.filter(({ isQueued }) => isQueued).map(({ job }) => job);
      if (jobs.length > 0) yield jobs;
    }
  }

  async *deadLetters(options: PageOptions = {}): AsyncGenerator<DeadLetter[]> {
    for await (const entries of this.parts.pages('dead', options)) {
      const letters = entries.flatMap(({ fate }) => (fate.is === 'dead' ? [fate.letter] : []));
      if (letters.length > 0) yield letters;
    }
  }

  async replay(handle: string): Promise<boolean> {
    const { parts } = this;
    const { book, leasing } = parts;
    const entry = book.find(handle);
    if (entry?.fate.is !== 'dead') return false;
    const { unique } = entry.job;
    const holder = unique === '' ? undefined : book.findByUnique(entry.queue.functionId, unique);
    if (holder?.isQueued) return false;
    entry.fate = { is: 'queued' };
    entry.job = { ...entry.job, at: 0, attempts: 0, losses: 0, sequence: parts.nextSequence() };
    entry.ownsUnique = true;
    entry.isFresh = false;
    if (unique !== '') book.takeUnique(entry, holder);
    entry.queue.count(entry, 1);
    leasing.wait(entry);
    parts.mark(entry, false);
    return true;
  }

  async purge(handle: string): Promise<boolean> {
    const { parts } = this;
    const entry = parts.book.find(handle);
    if (entry?.fate.is !== 'dead') return false;
    entry.fate = { is: 'gone' };
    parts.mark(entry, false);
    return true;
  }

  settings(): ReadonlyMap<string, string> {
    return this.opened?.settings.all ?? NO_SETTINGS;
  }

  set(name: string, value: string | undefined): void {
    checkSetting(name, value, this.settings());
    this.opened?.settings.set(name, value);
  }

  async fire(id: string, tick: number, job?: NewJob): Promise<FireOutcome> {
    const { parts } = this;
    checkTick(id, tick);
    if (job) checkJob(job);
    return parts.fire(id, tick, job);
  }

  async forget(now: number, limit = 1_000): Promise<number> {
    const { parts } = this;
    let count = 0;
    for (const read of parts.reader.over(now)) {
      const entry = parts.book.get(read.handle) ?? read;
      if (entry.fate.is !== 'ended') continue;
      if (count === limit) break;
      entry.fate = { is: 'gone' };
      parts.mark(entry, false);
      count++;
    }
    return count;
  }

  async addOnce(job: NewJob, origin: string, death?: Death): Promise<OnceOutcome> {
    const { parts } = this;
    checkJob(job);
    checkOrigin(origin);
    return parts.origins.once(origin, () => parts.take(job, origin, death));
  }

  async forgetOrigins(): Promise<number> {
    return this.parts.origins.forget();
  }

  /**
   * Copies the storage as it is to a new folder while it runs; a storage opened
   * there has every job. Rejects with a {@link StorageError}.
   */
  async backup(path: string): Promise<void> {
    await this.flush();
    await this.parts.file.copy(path);
  }

  private get parts(): OpenStorage {
    if (!this.opened) throw closedError();
    return this.opened;
  }

  private addChecked(job: NewJob, lease: boolean | 'always', adder: Adder): boolean {
    const { parts } = this;
    checkJob(job);
    const { book, commit, functions } = parts;
    const row = functions.row(job.function);
    const holder = job.unique === '' ? undefined : book.findByUnique(row.id, job.unique);
    if (holder?.isQueued) {
      this.join(holder, adder);
      return false;
    }
    const entry = new JobEntry(row.queues[job.priority], placed(job, parts.nextSequence()), undefined);
    const isLeased = parts.enter(entry, holder, lease);
    const mustWait = this.options.durability === 'always' || commit.isFailing || parts.isBehind;
    entry.join(adder, mustWait);
    parts.mark(entry, mustWait);
    return isLeased;
  }

  /** Has the adder of a job told that there is one already, once that is durable. */
  private join(holder: JobEntry, adder: Adder): void {
    const joining: Adder = { stored: () => adder.stored(holder.job), refused: (error) => adder.refused(error) };
    const isReturning = this.options.durability === 'always' && holder.isReturning;
    holder.join(joining, isReturning);
    if (isReturning) this.parts.mark(holder, true);
  }

  /** The entry of a job the caller holds. */
  private leased(handle: string): JobEntry | undefined {
    const entry = this.opened?.book.get(handle);
    return entry?.isLeased ? entry : undefined;
  }

  /** A job leaves its queue. */
  private leave(entry: JobEntry, fate: Fate): void {
    const { parts } = this;
    parts.leasing.takeOut(entry);
    entry.ownsUnique = parts.book.isOwnerOfUnique(entry);
    entry.isLeased = false;
    entry.fate = fate;
    entry.queue.count(entry, -1);
    parts.mark(entry, false);
  }
}

function queuedJob({ isLeased, job }: JobEntry): QueuedJob {
  return { state: isLeased ? 'leased' : 'waiting', job };
}
