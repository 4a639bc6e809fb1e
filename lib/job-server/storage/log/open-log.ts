import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkSetting, LEASE_BYTES } from '../job-limits.js';
import type { FireOutcome, StorageListener } from '../job-storage.js';
import { laterTick, tickName } from '../last-tick.js';
import { storageError } from '../folder/file-errors.js';
import { OwnedFolder } from '../folder/owned-folder.js';
import { GroupCommit } from '../group-commit.js';
import { ReadyQueues } from '../ready-queues.js';
import type { StorageError } from '../storage-error.js';
import type { StorageHealth } from '../storage-health.js';
import { placed, type JobRecord, type OnceOutcome, type Past, type StoredJob } from '../stored-job.js';
import type { Batch } from './batch.js';
import { DamageReport } from './damage.js';
import { Entry, Note, type LogChange } from './entry.js';
import type { LogQueue } from './log-queue.js';
import { Leasing } from './leasing.js';
import { itemPages } from './listing.js';
import type { LogIndex } from './log-index.js';
import type { LogSizes, LogStorageOptions } from './log-options.js';
import { LogWriter, type EntryKeeper } from './log-writer.js';
import { Maintenance, type Rewriter } from './maintenance.js';
import { ORIGIN, SETTING, type ItemReader } from './record.js';
import { checkForm, readLog } from './recovery.js';
import { SettingBook } from './setting-book.js';

/** How long what nobody waits for may stay unwritten, in milliseconds. */
const LAZY_DELAY = 50;

/** How many jobs are leased between two looks at the clock. */
const AT_ONCE = 64;

/** How long one turn of the event loop may go on leasing, in milliseconds. */
const SLICE = 3;

/** The parts of a storage while it is open, and what ties them together. */
export class OpenLog implements EntryKeeper, Rewriter {
  readonly leasing: Leasing;
  readonly commit: GroupCommit<LogChange>;
  readonly maintenance: Maintenance;
  readonly settings: SettingBook;
  private readonly writer: LogWriter;
  /** Origins whose jobs are being written. */
  private readonly adding = new Map<string, Promise<OnceOutcome>>();
  private sequence: number;
  /** Whether nobody has begun to close it. */
  isOpen = true;

  private constructor(
    private readonly folder: OwnedFolder,
    readonly index: LogIndex,
    private readonly listener: StorageListener,
    { durability, flushInterval }: Required<LogStorageOptions>,
    sizes: LogSizes,
  ) {
    const ready = new ReadyQueues<LogQueue>(
      ({ functionName, priority }) => ({ function: functionName, priority }),
      (name) => this.isOpen && listener.ready(name.function, name.priority),
    );
    folder.reserve.fill();
    this.sequence = index.lastSequence;
    this.leasing = new Leasing(index, (queue) => ready.add(queue));
    const { segmentBytes } = sizes;
    this.writer = new LogWriter(index, folder, this, { isSynced: durability !== 'none', segmentBytes });
    this.commit = new GroupCommit<LogChange>(this.writer, durability === 'interval' ? flushInterval : LAZY_DELAY);
    this.settings = new SettingBook(index, this.commit);
    this.maintenance = new Maintenance(index, this.writer, this.commit, this, sizes);
  }

  static async open(
    options: Required<LogStorageOptions>,
    sizes: LogSizes,
    listener: StorageListener,
  ): Promise<OpenLog> {
    const { path } = options;
    let folder: OwnedFolder | undefined;
    let index: LogIndex | undefined;
    try {
      checkForm(path);
      folder = OwnedFolder.open(path);
      const damages = new DamageReport((record) => listener.setAside(record));
      index = readLog(path, (damage) => damages.setAside(damage));
      damages.index = index;
      return new OpenLog(folder, index, listener, options, sizes);
    } catch (error) {
      index?.close();
      folder?.leave();
      throw storageError(error, path);
    }
  }

  /** Writes what waits to be written, and closes even if that fails, which it rejects with then. */
  async close(): Promise<void> {
    this.isOpen = false;
    try {
      await this.commit.flush();
    } finally {
      await this.maintenance.stop();
      await this.commit.stop();
      await this.writer.roll();
      await this.maintenance.checkpoint().catch(() => undefined);
      this.index.close();
      this.folder.leave();
    }
  }

  get health(): StorageHealth {
    const { backlog, writes } = this.commit;
    const { deadCounts: dead, bytes } = this.index;
    return { backlog, writes, dead, bytes, freeBytes: this.folder.room.bytes };
  }

  /** A new job as an entry that nobody has yet. */
  entryOf(job: JobRecord): Entry {
    const queue = this.index.queue(job.function, job.priority);
    return new Entry(queue, placed(job, ++this.sequence), this.index.hashes);
  }

  /**
   * Leases the next jobs, at most `count`, ready at `now`; where that takes long, the others have their turns meanwhile.
   * Fewer where their workloads are long: of the rest the owner is told once more.
   * None when the log is closed before it is done.
   *
   * @throws StorageError when the log cannot be read; then none is leased.
   */
  async lease(queue: LogQueue, count: number, now: number): Promise<Entry[]> {
    const leased: Entry[] = [];
    let bytes = 0;
    let endsAt = performance.now() + SLICE;
    try {
      while (leased.length < count) {
        const entry = this.leasing.take(queue, now);
        if (!entry) break;
        this.leasing.lease(entry);
        leased.push(entry);
        bytes += entry.bytes;
        if (bytes >= LEASE_BYTES && leased.length < count) {
          this.leasing.ready(queue);
          break;
        }
        if (leased.length % AT_ONCE > 0 || performance.now() < endsAt) continue;
        await nextTurn();
        if (!this.isOpen) return [];
        endsAt = performance.now() + SLICE;
      }
      return leased;
    } catch (error) {
      for (const entry of leased) if (entry.phase.fate === 'leased') this.leasing.giveBack(entry, false);
      throw error;
    }
  }

  /** A new job comes into its queue; answers whether it is leased. */
  enter(entry: Entry, lease: boolean | 'always'): boolean {
    const { queue, job } = entry;
    const { isFailing } = this.commit;
    const isNext = job.at === 0 && queue.waiting === 0;
    const isLeased = lease === 'always' || (lease && isNext && !isFailing);
    if (isLeased) entry.phase = entry.phase.leased;
    else if (isFailing) entry.phase = entry.phase.hidden;
    else this.leasing.wait(entry);
    return isLeased;
  }

  /** A dead letter is a job again. */
  revive(entry: Entry, job: Omit<StoredJob, 'sequence'>): void {
    entry.past = undefined;
    entry.job = placed(job, ++this.sequence);
    this.leasing.wait(entry);
    this.mark(entry, false);
  }

  /** A job dies, ends or is gone, or a dead letter is gone. */
  become(entry: Entry, fate: 'gone' | 'dead' | 'ended'): void {
    entry.phase = entry.phase[fate];
    this.mark(entry, false);
  }

  /** Has an entry written; or drops it where it was never written and is over. */
  mark(entry: Entry, isUrgent: boolean): void {
    if (entry.isNothing) {
      this.commit.unmark(entry);
      entry.phase = entry.phase.dropped;
      const adder = entry.takeAdder();
      if (adder) queueMicrotask(() => adder.stored());
      this.settled(entry);
      return;
    }
    this.leasing.keep(entry);
    entry.phase = entry.phase.marked;
    this.commit.mark(entry, isUrgent);
  }

  // --- what the writer says ---

  settled(entry: Entry): void {
    if (entry.phase.written !== 'saved') return;
    if (entry.phase.fate === 'hidden') this.leasing.waits(entry);
    if (entry.phase.isIdle) this.leasing.forget(entry);
  }

  trouble(error: StorageError | undefined): void {
    this.listener.trouble(error);
  }

  compaction(error: StorageError | undefined): void {
    if (this.isOpen) this.listener.compaction?.(error);
  }

  written(): void {
    if (!this.commit.isFailing) this.folder.reserve.fill();
    this.maintenance.look();
  }

  rewrite(number: number): number {
    const item = this.index.read(number);
    if (!item) return 0;
    const { kind, length } = item;
    if (kind === SETTING) this.settings.rewrite(item.handle);
    else if (kind === ORIGIN) this.commit.mark(this.originAgain(item), false);
    else {
      const entry = this.leasing.current(item);
      // Otherwise it is about to be written as it is now.
      if (entry?.phase.written !== 'saved') return length;
      if (!entry.isInMemory) {
        this.leasing.keep(entry);
        if (entry.phase.fate === 'waiting') entry.queue.place(entry.job, -1 - entry.place);
      }
      this.mark(entry, false);
    }
    return length;
  }

  // --- adding once ---

  /** Adds a job whose origin is new, or remembers only the origin of one that is here already. */
  async addOnce(job: JobRecord, origin: string, past: Past | undefined): Promise<OnceOutcome> {
    const before = this.adding.get(origin);
    if (before) return before.then(() => 'known');
    if (this.index.hasOrigin(origin)) return 'known';
    const adding = this.addNew(job, origin, past);
    this.adding.set(origin, adding);
    try {
      return await adding;
    } finally {
      this.adding.delete(origin);
    }
  }

  // --- ticks of schedules ---

  /** Fires a tick, unless it or a later one was; a job is written with it, and hidden until it is. */
  async fire(id: string, tick: number, job: JobRecord | undefined): Promise<FireOutcome> {
    const { settings } = this;
    const name = tickName(id);
    const entry = job && this.entryOf(job);
    const holder = (): Entry | undefined => entry && this.leasing.holderOf(entry);
    // The same tick may be being written: then it is known once that is over. So may the job that is to stand for
    // this one: should that be refused, the tick must not pass for fired.
    while (settings.isChanging(name) || holder()?.adder) await this.commit.flush();
    const value = laterTick(settings.all.get(name), tick, job?.handle);
    if (value === undefined) return 'known';
    checkSetting(name, value, settings.all);
    if (!entry || holder()) {
      settings.set(name, value);
      await this.commit.flush();
      return 'fired';
    }
    entry.phase = entry.phase.hidden;
    try {
      await this.write(entry, settings.fire(name, value));
    } finally {
      settings.fired(name);
    }
    return 'fired';
  }

  /** Writes an entry and a note, both or neither. */
  private async write(entry: Entry, note: Note): Promise<void> {
    entry.note = note;
    const stored = entry.whenStored(true);
    this.mark(entry, true);
    await stored;
  }

  /** While this runs no origin is copied forward: the copy would stay. */
  forgetOrigins(): Promise<number> {
    return this.maintenance.without(() => this.forgetAllOrigins());
  }

  private async forgetAllOrigins(): Promise<number> {
    await this.commit.flush();
    let count = 0;
    for await (const page of itemPages(this.index, 1_000, ({ kind }) => kind === ORIGIN)) {
      for (const item of page) this.commit.mark(this.endOfOrigin(item), false);
      await this.commit.flush();
      count += page.length;
    }
    return count;
  }

  private endOfOrigin({ stored, handle }: ItemReader): Note {
    const emit = (batch: Batch): void => batch.over(stored, 0);
    return new Note(32, false, emit, () => this.index.forgetOrigin(stored.number, handle));
  }

  /** Has an origin written once more, behind all others. */
  private originAgain({ stored, handle }: ItemReader): Note {
    const emit = (batch: Batch): void => batch.note(ORIGIN, handle, '', stored);
    return new Note(300, true, emit, () => this.index.forgetOrigin(stored.number, handle));
  }

  private async addNew(job: JobRecord, origin: string, past: Past | undefined): Promise<OnceOutcome> {
    const entry = this.entryOf(job);
    const same = this.leasing.find(job.handle);
    const existing = same ?? (past ? undefined : this.leasing.holderOf(entry));
    if (existing) {
      await existing.whenStored();
      this.commit.mark(originNote(origin), false);
      await this.commit.flush();
      return same ? 'known' : 'coalesced';
    }
    entry.past = past;
    if (!past) this.enter(entry, false);
    else entry.phase = 'result' in past ? entry.phase.ended : entry.phase.dead;
    await this.write(entry, originNote(origin));
    return 'added';
  }
}

/** Where a job came from, so that it is not added again. */
function originNote(origin: string): Note {
  return new Note(300, true, (batch) => batch.note(ORIGIN, origin, ''));
}
