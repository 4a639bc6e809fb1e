import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkSetting } from '../job-limits.js';
import type { FireOutcome, PageOptions, StorageListener } from '../job-storage.js';
import { laterTick, tickName } from '../last-tick.js';
import { makeFolder, syncFolders } from '../folder.js';
import { FreeRoom } from '../free-room.js';
import { GroupCommit } from '../group-commit.js';
import { ReadyQueues } from '../ready-queues.js';
import type { StorageHealth } from '../storage-health.js';
import { placed, type JobRecord, type OnceOutcome, type Past, type StoredJob } from '../stored-job.js';
import { Entry, NoteChange, type LogChange, type EntryIndex, type EntryQueue, type Note } from './entry.js';
import { DamageReport } from './damage.js';
import { EntryTable } from './entry-table.js';
import { FORMER_FILE, formerForm, storageError } from './file-errors.js';
import { FolderOwner } from './folder-owner.js';
import { Leasing } from './leasing.js';
import type { LogSizes, LogStorageOptions } from './log-options.js';
import { LogWriter, type EntryKeeper } from './log-writer.js';
import { Maintenance, type Memory } from './maintenance.js';
import { DEAD, ENDED, JOB, ORIGIN, SETTING, type Ended, type ItemReader } from './record.js';
import { readLog, removeStrays } from './recovery.js';
import { Reserve } from './reserve.js';
import { SettingBook } from './setting-book.js';
import type { Segment } from './segment.js';

/** How long what nobody waits for may stay unwritten, in milliseconds. */
const LAZY_DELAY = 50;

/** An item of the log that is not over. */
interface Living {
  readonly item: ItemReader;
  readonly number: number;
}

/** The parts of a storage while it is open, and what ties them together. */
export class OpenLog implements EntryKeeper, Memory {
  readonly index: EntryIndex;
  readonly leasing: Leasing;
  readonly commit: GroupCommit<LogChange>;
  readonly maintenance: Maintenance;
  readonly settings: SettingBook;
  private readonly writer: LogWriter;
  private readonly room: FreeRoom;
  private readonly damages: DamageReport;
  /** What memory has. */
  readonly entries: EntryTable;
  /** Origins whose jobs are being written. */
  private readonly taking = new Map<string, Promise<OnceOutcome>>();
  private readonly ready: ReadyQueues<EntryQueue>;
  private sequence: number;
  /** Whether nobody has begun to close it. */
  isOpen = true;

  private constructor(
    private readonly owner: FolderOwner,
    private readonly reserve: Reserve,
    listener: StorageListener,
    { path, durability, flushInterval }: Required<LogStorageOptions>,
    sizes: LogSizes,
  ) {
    this.ready = new ReadyQueues<EntryQueue>(
      ({ functionName, priority }) => ({ function: functionName, priority }),
      (name) => this.isOpen && listener.ready(name.function, name.priority),
    );
    this.damages = new DamageReport((record) => listener.setAside(record));
    const { index, strays } = readLog<Entry>(path, (damage) => this.damages.setAside(damage));
    removeStrays(path, strays);
    reserve.take();
    this.index = index;
    this.entries = new EntryTable(index.seed);
    this.damages.log = this;
    this.room = new FreeRoom(path);
    this.sequence = index.lastSequence;
    this.leasing = new Leasing(index);
    for (const queue of index.queues.values()) this.leasing.expect(queue);
    const written = { index, owner, reserve, isSynced: durability !== 'none', segmentBytes: sizes.segmentBytes };
    this.writer = new LogWriter(written, this, listener, () => this.written());
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
    let owner: FolderOwner | undefined;
    try {
      const folders = makeFolder(path);
      if (existsSync(join(path, FORMER_FILE))) throw formerForm(path);
      const reserve = new Reserve(path);
      owner = claim(path, reserve);
      syncFolders(folders);
      return new OpenLog(owner, reserve, listener, options, sizes);
    } catch (error) {
      owner?.leave();
      throw storageError(error, path);
    }
  }

  /** Writes what waits to be written, and closes even if that fails, which it rejects with then. */
  async close(): Promise<void> {
    this.isOpen = false;
    this.damages.log = undefined;
    try {
      await this.flush();
    } finally {
      await this.maintenance.stop();
      await this.commit.stop();
      await this.writer.roll();
      await this.maintenance.checkpoint().catch(() => undefined);
      this.reserve.release();
      this.index.close();
      this.owner.leave();
    }
  }

  /** Resolves when all that was marked is in the log; rejects when it could not be written. */
  async flush(): Promise<void> {
    await this.commit.flush();
  }

  /** True when so much waits for the disk that who adds more, or leases, should wait too. */
  get isBehind(): boolean {
    return this.commit.isBehind;
  }

  get health(): StorageHealth {
    const dead = new Map<string, number>();
    for (const { functionName, dead: count } of this.index.queues.values()) {
      if (count > 0) dead.set(functionName, (dead.get(functionName) ?? 0) + count);
    }
    const { backlog, writes } = this.commit;
    return { backlog, writes, dead, bytes: this.index.bytes, freeBytes: this.room.bytes };
  }

  nextSequence(): number {
    return ++this.sequence;
  }

  // --- what is known of jobs: memory first, as it has what is not written yet ---

  get(handle: string): Entry | undefined {
    return this.entries.ofHandle(handle);
  }

  find(handle: string): Entry | undefined {
    const entry = this.entries.ofHandle(handle);
    if (entry) return entry;
    const number = this.index.findHandle(handle);
    return number === undefined ? undefined : this.entryAt(number);
  }

  /** The job that has a unique; it is waiting or leased. */
  findByUnique(functionId: number, unique: string): Entry | undefined {
    const held = this.entries.ofUnique(functionId, unique);
    if (held) return held;
    let found: Entry | undefined;
    this.index.findUnique(functionId, unique, (item, number) => {
      // Of what memory has it knows better what became.
      if (!this.index.isFree(number)) return false;
      found = this.leasing.entryOf(item, number);
      return true;
    });
    return found;
  }

  /** Memory has an entry from now on. */
  hold(entry: Entry): void {
    if (entry.isHeld) return;
    this.entries.add(entry);
    if (entry.stored) this.index.hold(entry.stored.number);
  }

  /** Leases the next jobs, at most `count`, ready at `now`; none when the log cannot be read, which it throws. */
  lease(queue: EntryQueue, count: number, now: number): Entry[] {
    const leased: Entry[] = [];
    try {
      while (leased.length < count) {
        const entry = this.leasing.take(queue, now);
        if (!entry) break;
        entry.phase = entry.phase.leased;
        this.hold(entry);
        leased.push(entry);
      }
    } catch (error) {
      for (const entry of leased) this.giveBack(entry, false);
      throw error;
    }
    return leased;
  }

  /** Leases an entry, wherever it waits. */
  leaseEntry(entry: Entry): void {
    if (entry.isHeld) this.leasing.takeOut(entry);
    else if (entry.at === 0) entry.queue.waiting--;
    entry.phase = entry.phase.leased;
    this.hold(entry);
  }

  /** A new job comes into its queue; answers whether it is leased. */
  enter(entry: Entry, lease: boolean | 'always'): boolean {
    const { queue, job } = entry;
    const { isFailing } = this.commit;
    const isNext = job.at === 0 && queue.waiting === 0;
    const isLeased = lease === 'always' || (lease && isNext && !isFailing);
    queue.count(job, 1);
    if (isLeased) entry.phase = entry.phase.leased;
    else if (isFailing) entry.phase = entry.phase.hidden;
    else this.wait(entry);
    return isLeased;
  }

  /** A job waits in memory, until the log has it as it is. */
  wait(entry: Entry): void {
    this.leasing.wait(entry);
    this.ready.add(entry.queue);
  }

  /** A leased job is given back as it is, or as it was changed. */
  giveBack(entry: Entry, isTold = true): void {
    const { queue, stored, phase } = entry;
    if (phase.written === 'saved' && stored) {
      entry.phase = entry.phase.waiting;
      this.leasing.waits(entry);
      this.letGo(entry);
      const isAhead = !stored.isApart && stored.number >= queue.cursor;
      if (!isAhead) queue.place(entry.at, entry.sequence, stored.number);
      this.leasing.expect(queue);
    } else this.leasing.wait(entry);
    if (isTold) this.ready.add(queue);
  }

  /** A job leaves its queue: `become` says what it is instead. */
  leave(entry: Entry, become: 'gone' | 'dead' | 'ended'): void {
    if (entry.isHeld) this.leasing.takeOut(entry);
    else if (entry.at === 0) entry.queue.waiting--;
    entry.phase = entry.phase[become];
    entry.queue.count(entry.job, -1);
    this.mark(entry, false);
  }

  /** Has an entry written, or lets it be where it never was written and is over. */
  mark(entry: Entry, isUrgent: boolean): void {
    if (entry.isNothing) {
      this.commit.unmark(entry);
      entry.phase = entry.phase.dropped;
      const adder = entry.takeAdder();
      if (adder) queueMicrotask(() => adder.stored());
      this.settled(entry);
      return;
    }
    this.hold(entry);
    entry.phase = entry.phase.marked;
    this.commit.mark(entry, isUrgent);
  }

  // --- what the writer says ---

  settled(entry: Entry): void {
    const { fate, written } = entry.phase;
    if (written !== 'saved') return;
    if (fate === 'hidden') {
      this.leasing.waits(entry);
      entry.phase = entry.phase.waiting;
      this.ready.add(entry.queue);
    } else if (fate === 'waiting') entry.queue.inMemory(entry.at > 0).remove(entry);
    if (entry.phase.isIdle) this.letGo(entry);
  }

  refused(entry: Entry): void {
    this.leasing.takeOut(entry);
    if (entry.phase.isQueued) entry.queue.count(entry.job, -1);
  }

  isChanging(item: ItemReader): boolean {
    if (item.kind === SETTING) return this.settings.isChanging(item.handleName);
    const entry = item.kind === ORIGIN ? undefined : this.entries.ofHandle(this.index.handleOf(item));
    return entry !== undefined && entry.phase.written !== 'saved';
  }

  moved(handle: string, from: number, to: Ended): void {
    const entry = this.entries.ofHandle(handle);
    if (entry?.stored?.number !== from) return;
    entry.stored = to;
    this.index.hold(to.number);
  }

  // --- taking once ---

  /** Takes a job whose origin is new, or remembers only the origin of one that is here already. */
  async takeOnce(job: JobRecord, origin: string, past: Past | undefined): Promise<OnceOutcome> {
    const before = this.taking.get(origin);
    if (before) return before.then(() => 'known');
    if (this.index.hasOrigin(origin)) return 'known';
    const taking = this.take(job, origin, past);
    this.taking.set(origin, taking);
    try {
      return await taking;
    } finally {
      this.taking.delete(origin);
    }
  }

  // --- ticks of schedules ---

  /** Fires a tick, unless it or a later one was; a job is written with it, and hidden until it is. */
  async fire(id: string, tick: number, job: JobRecord | undefined): Promise<FireOutcome> {
    const { settings } = this;
    const name = tickName(id);
    // Who fires the same tick is written already, or about to be.
    while (settings.isChanging(name)) await this.flush();
    const value = laterTick(settings.all.get(name), tick, job?.handle);
    if (value === undefined) return 'known';
    checkSetting(name, value, settings.all);
    const queue = job && this.index.queue(job.function, job.priority);
    const holder = job?.unique && queue && this.findByUnique(queue.name.id, job.unique);
    if (!job || !queue || holder) {
      settings.set(name, value);
      await this.flush();
      return 'fired';
    }
    const entry = new Entry(queue, placed(job, this.nextSequence()));
    entry.note = settings.fire(name, value);
    queue.count(entry.job, 1);
    entry.phase = entry.phase.hidden;
    const stored = entry.whenStored(true);
    this.mark(entry, true);
    try {
      await stored;
    } finally {
      settings.fired(name);
    }
    return 'fired';
  }

  async forgetOrigins(): Promise<number> {
    await this.flush();
    let count = 0;
    for await (const page of this.items(1_000, ({ kind }) => kind === ORIGIN)) {
      for (const living of page) this.commit.mark(new NoteChange(this.endOfOrigin(living), false), false);
      await this.flush();
      count += page.length;
    }
    return count;
  }

  private endOfOrigin({ item, number }: Living): Note {
    const hash = this.index.hashOfOrigin(item);
    const ended = { number, length: item.length, kind: item.kind, hasTime: false };
    return { bytes: 32, emit: (batch) => batch.over(ended, 0), settled: () => this.index.forget(number, hash) };
  }

  // --- listing ---

  /** All jobs in pages, once what waits was written if it can be. */
  async *jobPages({ function: only, pageSize = 1_000 }: PageOptions): AsyncGenerator<StoredJob[]> {
    await this.flush().catch(() => undefined);
    const { index } = this;
    const functionId = only === undefined ? undefined : index.names.find(only)?.id;
    if (only !== undefined && functionId === undefined) return;
    const isWanted = ({ kind, queue }: ItemReader): boolean =>
      kind === JOB && (functionId === undefined || queue >>> 2 === functionId);
    for await (const page of this.items(pageSize, isWanted)) {
      const entries = page.map(({ item, number }) => this.current(item, number));
      yield entries.filter((entry) => entry?.phase.isQueued).map((entry) => entry!.job);
    }
  }

  /** The dead letters in pages, longest dead first. */
  async *deadPages({ function: only, pageSize = 1_000 }: PageOptions): AsyncGenerator<Entry[]> {
    await this.flush().catch(() => undefined);
    const { index } = this;
    let page: Entry[] = [];
    for (const rest = index.dead.copy(); rest.size > 0; rest.pop()) {
      const item = index.read(rest.number);
      const entry = item?.kind === DEAD ? this.current(item, rest.number) : undefined;
      if (entry?.phase.fate !== 'dead' || (only !== undefined && entry.job.function !== only)) continue;
      if (page.push(entry) < pageSize) continue;
      yield page;
      page = [];
      await nextTurn();
    }
    if (page.length > 0) yield page;
  }

  /** Ended jobs whose time is over, which are no longer remembered after that. */
  *over(now: number): Generator<Entry> {
    const { ended } = this.index;
    for (; ended.size > 0 && ended.time <= now; ended.pop()) {
      const item = this.index.read(ended.number);
      const entry = item?.kind === ENDED ? this.current(item, ended.number) : undefined;
      if (entry?.phase.fate === 'ended') yield entry;
    }
  }

  /** The living items of the log in pages; those that come meanwhile are left out, and everybody has a turn between. */
  private async *items(pageSize: number, isWanted: (item: ItemReader) => boolean): AsyncGenerator<Living[]> {
    const { index } = this;
    let page: Living[] = [];
    let untilTurn = pageSize;
    const end = index.segments.at(-1)?.next ?? 0;
    let number = index.segments[0]?.first ?? 0;
    for (let segment = this.segmentFrom(number); segment && number < end; segment = this.segmentFrom(number)) {
      number = Math.max(number, segment.first);
      const block = segment.blockOf(number);
      const next = Math.min(end, segment.blockNext(block));
      for (; number < next; number++) {
        if (!segment.isAlive(number)) continue;
        const item = index.readIn(index.blockOf(segment, block), number);
        if (item && isWanted(item)) page.push({ item, number });
        if (--untilTurn > 0 && page.length < pageSize) continue;
        if (page.length === pageSize) {
          yield page;
          page = [];
        }
        untilTurn = pageSize;
        await nextTurn();
      }
    }
    if (page.length > 0) yield page;
  }

  /** The segment that has this item, or the first one behind it. */
  private segmentFrom(number: number): Segment | undefined {
    return this.index.segments.find((segment) => number < segment.next);
  }

  /** What memory says of an item, or else the log. */
  private current(item: ItemReader, number: number): Entry | undefined {
    const entry = this.entries.ofHandle(this.index.handleOf(item));
    if (entry) return entry.stored?.number === number ? entry : undefined;
    return this.leasing.entryOf(item, number);
  }

  private entryAt(number: number): Entry | undefined {
    const item = this.index.read(number);
    return item && this.leasing.entryOf(item, number);
  }

  /** Memory forgets an entry that the log has. */
  private letGo(entry: Entry): void {
    if (!entry.isHeld) return;
    this.entries.remove(entry);
    if (entry.stored) this.index.letGo(entry.stored.number);
  }

  private async take(job: JobRecord, origin: string, past: Past | undefined): Promise<OnceOutcome> {
    const { index } = this;
    const queue = index.queue(job.function, job.priority);
    const same = this.find(job.handle);
    const holder = job.unique === '' || past ? undefined : this.findByUnique(queue.name.id, job.unique);
    const existing = same ?? holder;
    if (existing) {
      await existing.whenStored();
      this.commit.mark(new NoteChange(originNote(origin), true), false);
      await this.flush();
      return same ? 'known' : 'coalesced';
    }
    const entry = new Entry(queue, { ...job, sequence: this.nextSequence() });
    entry.note = originNote(origin);
    if (past && 'result' in past) {
      entry.phase = entry.phase.ended;
      entry.outcome = past;
    } else if (past) {
      entry.phase = entry.phase.dead;
      entry.death = past;
    } else this.enter(entry, false);
    const stored = entry.whenStored(true);
    this.mark(entry, true);
    await stored;
    if (entry.death) queue.dead++;
    return 'added';
  }

  private written(): void {
    if (!this.commit.isFailing) this.reserve.take();
    this.maintenance.look();
  }
}

/** Where a job came from, so that it is not taken again. */
function originNote(origin: string): Note {
  return { bytes: 300, emit: (batch) => void batch.note(ORIGIN, origin, '') };
}

/** Claims a folder, in the room that was kept free where the disk is full. */
function claim(path: string, reserve: Reserve): FolderOwner {
  try {
    return FolderOwner.claim(path);
  } catch (error) {
    if (storageError(error, path).code !== 'GEARMAN_STORAGE_FULL' || !reserve.release()) throw error;
    return FolderOwner.claim(path);
  }
}
