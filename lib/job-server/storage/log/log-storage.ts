import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkJob, checkOrigin, checkSetting, checkTick, checkTime } from '../job-limits.js';
import type { Adder, DueJobs, FireOutcome, JobStorage, PageOptions, StorageListener } from '../job-storage.js';
import { Opening } from '../opening.js';
import { closedError, type StorageError } from '../storage-error.js';
import { StorageWrites, type StorageHealth } from '../storage-health.js';
import {
  changedJob,
  countsOf,
  type DeadLetter,
  type FoundJob,
  type FunctionCounts,
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
import type { Entry } from './entry.js';
import type { LogQueue } from './log-queue.js';
import { deadPages, jobPages, letterOf, over } from './listing.js';
import { copyLog } from './log-beside.js';
import { checkOptions, LOG_SIZES, type LogSizes, type LogStorageOptions } from './log-options.js';
import { OpenLog } from './open-log.js';

/** How many functions are looked through at once. */
const AT_ONCE = 1_000;

const NO_SETTINGS: ReadonlyMap<string, string> = new Map();

/**
 * Jobs in a folder of their own, in a segmented write-ahead log: embedded,
 * crash-safe, and as fast with ten million jobs as with a few.
 *
 * Many submissions share one fdatasync. In memory are jobs that are leased or
 * not written yet, and of every other job one bit and, where it has a unique or
 * a time, 8 to 24 bytes; the rest is in the log, and read when it is leased.
 */
export class LogStorage implements JobStorage {
  readonly isShared = false;
  private readonly options: Required<LogStorageOptions>;
  private readonly opening = new Opening<OpenLog>();

  /** @throws InvalidOptionError */
  constructor(options: LogStorageOptions);
  /** @internal for tests, whose files are small */
  constructor(options: LogStorageOptions, sizes: LogSizes);
  constructor(
    options: LogStorageOptions,
    private readonly sizes = LOG_SIZES,
  ) {
    this.options = checkOptions(options);
  }

  async open(listener: StorageListener): Promise<void> {
    await this.opening.open(() => OpenLog.open(this.options, this.sizes, listener));
  }

  async close(): Promise<void> {
    await this.opening.close();
  }

  async flush(): Promise<void> {
    await this.log.commit.flush();
  }

  add(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    try {
      return this.addChecked(job, lease, adder);
    } catch (error) {
      queueMicrotask(() => adder.refused(error as StorageError));
      return false;
    }
  }

  async lease(functionName: string, priority: StoredPriority, count: number, now: number): Promise<StoredJob[]> {
    const { log } = this;
    // Jobs that end faster than the disk writes would fill memory: no new ones until it has caught up.
    if (log.commit.isBehind) await log.commit.caughtUp();
    if (this.opened !== log) return [];
    const queue = log.index.findQueue(functionName, priority);
    if (!queue) return [];
    const leased = await log.lease(queue, count, now);
    const jobs = leased.map(({ job }) => job);
    // The list may be in V8's old generation: forgotten there it would keep the entries alive for long.
    leased.length = 0;
    return jobs;
  }

  async leaseOne(handle: string): Promise<StoredJob | undefined> {
    const { log } = this;
    const entry = log.leasing.find(handle);
    if (entry?.phase.fate !== 'waiting') return undefined;
    log.leasing.lease(entry);
    return entry.job;
  }

  change(handle: string, { attempts, losses }: JobCounters): void {
    const entry = this.leased(handle);
    if (!entry) return;
    entry.change(changedJob(entry.job, { attempts, losses }));
    this.log.mark(entry, false);
  }

  release(handle: string, changes: JobChanges = {}): void {
    if (changes.at !== undefined) checkTime(changes.at);
    const entry = this.leased(handle);
    if (!entry) return;
    const { log } = this;
    const { job } = entry;
    const changed = changedJob(job, changes);
    const isSame = changed.at === job.at && changed.attempts === job.attempts && changed.losses === job.losses;
    if (!isSame) {
      entry.change(changed);
      log.mark(entry, false);
    }
    log.leasing.giveBack(entry);
  }

  done(handle: string, outcome?: JobOutcome): void {
    const entry = this.leased(handle);
    if (!entry) return;
    entry.past = outcome;
    this.log.become(entry, outcome ? 'ended' : 'gone');
  }

  bury(handle: string, error: string, now: number): void {
    const entry = this.leased(handle);
    if (!entry) return;
    entry.past = { error, diedAt: now };
    this.log.become(entry, 'dead');
  }

  async remove(handle: string): Promise<Removal> {
    const { log } = this;
    const entry = log.leasing.find(handle);
    if (!entry?.phase.isQueued) return 'unknown';
    log.become(entry, 'gone');
    return 'removed';
  }

  async findByHandle(handle: string): Promise<FoundJob | undefined> {
    const entry = this.log.leasing.find(handle);
    if (!entry) return undefined;
    const { job, phase } = entry;
    if (phase.isQueued) return queuedJob(entry);
    if (phase.fate === 'dead') return { state: 'dead', letter: letterOf(entry) };
    if (phase.fate === 'ended') return { state: 'ended', function: job.function, outcome: entry.past as JobOutcome };
    return undefined;
  }

  async findByUnique(unique: string, functionName?: string): Promise<QueuedJob | undefined> {
    const { log } = this;
    if (unique === '') return undefined;
    const names = functionName === undefined ? log.index.functionsWithJobs : [functionName];
    for (const [index, each] of names.entries()) {
      const name = log.index.names.find(each);
      const entry = name && log.leasing.findByUnique(name.id, unique);
      if (entry) return queuedJob(entry);
      // There may be 100,000 functions, and others want their turn.
      if (index % AT_ONCE === AT_ONCE - 1) await nextTurn();
      if (this.opened !== log) throw closedError();
    }
    return undefined;
  }

  counts(): FunctionCounts[] {
    return (this.opened?.index.functionsWithJobs ?? []).map((name) => this.count(name));
  }

  count(functionName: string): FunctionCounts {
    const queue = (priority: StoredPriority): LogQueue | undefined =>
      this.opened?.index.findQueue(functionName, priority);
    return countsOf(functionName, [queue(0), queue(1), queue(2)]);
  }

  oldest(functionName: string, priority: StoredPriority, now: number): number | undefined {
    const queue = this.opened?.index.findQueue(functionName, priority);
    try {
      return queue && this.opened?.leasing.oldest(queue, now);
    } catch {
      // The disk fails at reading: whoever leases is told.
      return undefined;
    }
  }

  health(): StorageHealth {
    return this.opened?.health ?? { backlog: 0, writes: new StorageWrites() };
  }

  due(now: number): DueJobs {
    return this.opened?.leasing.due(now) ?? { ready: [], next: Infinity };
  }

  async *iterate(options: PageOptions = {}): AsyncGenerator<StoredJob[]> {
    const { index, leasing } = await this.written();
    for await (const jobs of jobPages(index, leasing, options)) if (jobs.length > 0) yield jobs;
  }

  async *deadLetters(options: PageOptions = {}): AsyncGenerator<DeadLetter[]> {
    const { index, leasing } = await this.written();
    yield* deadPages(index, leasing, options);
  }

  async replay(handle: string, { acceptedAt, reducer }: Replay = {}): Promise<boolean> {
    const { log } = this;
    const entry = log.leasing.find(handle);
    if (entry?.phase.fate !== 'dead') return false;
    if (log.leasing.holderOf(entry)) return false;
    const { job } = entry;
    log.revive(entry, { ...job, at: 0, attempts: 0, losses: 0, acceptedAt, reducer: reducer ?? job.reducer });
    return true;
  }

  async purge(handle: string): Promise<boolean> {
    const { log } = this;
    const entry = log.leasing.find(handle);
    if (entry?.phase.fate !== 'dead') return false;
    log.become(entry, 'gone');
    return true;
  }

  settings(): ReadonlyMap<string, string> {
    return this.opened?.settings.all ?? NO_SETTINGS;
  }

  set(name: string, value: string | undefined): void {
    checkSetting(name, value, this.settings());
    this.opened?.settings.set(name, value);
  }

  async fire(id: string, tick: number, job?: JobRecord): Promise<FireOutcome> {
    const { log } = this;
    checkTick(id, tick);
    if (job) checkJob(job);
    return log.fire(id, tick, job);
  }

  async forget(now: number, limit = 1_000): Promise<number> {
    const { log } = this;
    let count = 0;
    if (limit > 0) {
      for (const entry of over(log.index, log.leasing, now)) {
        log.become(entry, 'gone');
        if (++count === limit) break;
      }
    }
    return count;
  }

  async addOnce(job: JobRecord, origin: string, past?: Past): Promise<OnceOutcome> {
    const { log } = this;
    checkJob(job);
    checkOrigin(origin);
    return log.addOnce(job, origin, past);
  }

  async forgetOrigins(): Promise<number> {
    return this.log.forgetOrigins();
  }

  /**
   * Copies the storage as it is to a new folder while it runs; a storage opened
   * there has every job. Rejects with a {@link StorageError}.
   */
  async backup(path: string): Promise<void> {
    const { log } = this;
    await log.commit.flush();
    await log.maintenance.without(() => copyLog(log.index, path));
  }

  private get log(): OpenLog {
    return this.opening.opened;
  }

  private get opened(): OpenLog | undefined {
    return this.opening.current;
  }

  /** The log, once what waits was written if it can be. */
  private async written(): Promise<OpenLog> {
    const { log } = this;
    await log.commit.flush().catch(() => undefined);
    return log;
  }

  private addChecked(job: JobRecord, lease: boolean | 'always', adder: Adder): boolean {
    const { log } = this;
    checkJob(job);
    const entry = log.entryOf(job);
    const holder = log.leasing.holderOf(entry);
    if (holder) {
      this.join(holder, adder);
      return false;
    }
    const isLeased = log.enter(entry, lease);
    const mustWait = this.options.durability === 'always' || log.commit.isFailing || log.commit.isBehind;
    entry.join(adder, mustWait);
    log.mark(entry, mustWait);
    return isLeased;
  }

  /** Has the adder of a job told that there is one already, once that is durable. */
  private join(holder: Entry, adder: Adder): void {
    const joining: Adder = { stored: () => adder.stored(holder.job), refused: (error) => adder.refused(error) };
    const isReturning = this.options.durability === 'always' && holder.isReturning;
    holder.join(joining, isReturning);
    if (isReturning) this.log.mark(holder, true);
  }

  /** The entry of a job that the caller has leased. */
  private leased(handle: string): Entry | undefined {
    const entry = this.opened?.leasing.get(handle);
    return entry?.phase.fate === 'leased' ? entry : undefined;
  }
}

function queuedJob({ job, phase }: Entry): QueuedJob {
  return { state: phase.fate === 'leased' ? 'leased' : 'waiting', job };
}
