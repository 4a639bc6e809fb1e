import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { checkSetting } from '../job-limits.js';
import type { FireOutcome, PageOptions, StorageListener } from '../job-storage.js';
import { laterTick, tickName } from '../last-tick.js';
import { ReadyQueues } from '../ready-queues.js';
import { placed, type Death, type NewJob, type OnceOutcome } from '../stored-job.js';
import { EntryBook } from './entry-book.js';
import { FixedChange, type FileChange } from './file-change.js';
import { storageError } from './file-errors.js';
import { prepareFormat, readJournalMark, readSequence } from './file-format.js';
import { FunctionTable } from './function-table.js';
import { GroupCommit } from '../group-commit.js';
import { JobEntry, type EntryQueue } from './job-entry.js';
import { JobFile } from './job-file.js';
import { JobReader } from './job-reader.js';
import { JobWriter } from './job-writer.js';
import { Journal } from './journal/journal.js';
import { jobsBehind, readJournals } from './journal/journal-recovery.js';
import { JournalWriter } from './journal/journal-writer.js';
import { Leasing } from './leasing.js';
import type { LmdbStorageOptions } from './lmdb-options.js';
import { OriginBook } from './origin-book.js';
import { Quarantine } from './quarantine.js';
import { SettingBook } from './setting-book.js';

/** How long what nobody waits for may stay unwritten, in milliseconds. */
const LAZY_DELAY = 50;

/** The parts of a storage while it is open, and what ties them together. */
export class OpenStorage {
  readonly functions = new FunctionTable();
  readonly reader: JobReader;
  readonly book: EntryBook;
  readonly leasing: Leasing;
  readonly commit: GroupCommit<FileChange>;
  readonly origins: OriginBook;
  readonly settings: SettingBook;
  private readonly journal: Journal;
  private readonly quarantine: Quarantine;
  /** Missing where nobody waits for the disk. */
  private readonly journaling: JournalWriter | undefined;
  /** The last sequence that was given to a job. */
  private sequence: number;
  private readonly ready: ReadyQueues<EntryQueue>;
  /** Has a write made when nothing else is to be written: every write says up to where the journal is not needed. */
  private readonly journalChange = new FixedChange(() => undefined);
  private isOpen = true;

  private constructor(
    readonly file: JobFile,
    listener: StorageListener,
    { path, durability, flushInterval }: Required<LmdbStorageOptions>,
  ) {
    this.ready = new ReadyQueues<EntryQueue>(
      ({ functionName, priority }) => ({ function: functionName, priority }),
      ({ function: name, priority }) => this.isOpen && listener.ready(name, priority),
    );
    this.journal = new Journal(path, file.claim);
    this.functions.load(file.tables);
    this.sequence = readSequence(file.tables);
    this.quarantine = new Quarantine((change) => this.commit.mark(change, false), listener);
    this.reader = new JobReader(file, this.functions, this.quarantine);
    this.book = new EntryBook(this.reader);
    this.leasing = new Leasing(this.reader, this.book, (queue) => this.ready.add(queue));
    const { book, functions, journal, leasing, reader } = this;
    const writer = new JobWriter(
      file,
      functions,
      reader,
      book,
      leasing,
      journal,
      listener,
      () => this.sequence,
      () => this.tidyJournal(),
    );
    this.commit = new GroupCommit<FileChange>(writer, durability === 'interval' ? flushInterval : LAZY_DELAY);
    if (durability === 'always') {
      this.journaling = new JournalWriter(journal, file, path, this.commit, (entry) => this.over(entry));
    }
    this.origins = new OriginBook(file, this.commit);
    this.settings = new SettingBook(file.tables, this.commit);
    for (const { queues } of this.functions.rows()) queues.forEach((queue) => this.leasing.restart(queue));
  }

  static async open(options: Required<LmdbStorageOptions>, listener: StorageListener): Promise<OpenStorage> {
    const { path, durability } = options;
    const file = await JobFile.open({ path, isSynced: durability !== 'none', prepare: prepareFormat });
    let opened: OpenStorage | undefined;
    try {
      opened = new OpenStorage(file, listener, options);
      opened.recover(path);
      return opened;
    } catch (error) {
      await opened?.commit.stop();
      await file.close();
      throw storageError(error, path);
    }
  }

  /** Writes what waits to be written, and closes even if that fails, which it rejects with then. */
  async close(): Promise<void> {
    this.isOpen = false;
    try {
      await this.flush();
    } finally {
      await this.journaling?.stop();
      await this.commit.stop();
      this.journal.close();
      await this.file.close();
    }
  }

  /** Resolves when all that was marked is in the file of jobs; rejects when it could not be written. */
  async flush(): Promise<void> {
    await this.journaling?.flush();
    await this.commit.flush();
    if (!this.journal.isOutdated) return;
    this.tidyJournal();
    await this.commit.flush();
  }

  /** True when so much waits for the disk that who adds more, or leases, should wait too. */
  get isBehind(): boolean {
    return this.commit.isBehind || (this.journaling?.isBehind ?? false);
  }

  /** Resolves when it is no longer behind. */
  async caughtUp(): Promise<void> {
    await this.journaling?.caughtUp();
    await this.commit.caughtUp();
  }

  nextSequence(): number {
    return ++this.sequence;
  }

  /** Has an entry written, or lets it be where it never was written and is over. */
  mark(entry: JobEntry, isUrgent: boolean): void {
    if (entry.isNothing) {
      this.over(entry);
      return;
    }
    entry.isDirty = true;
    this.book.hold(entry);
    if (!isUrgent || !this.journaling?.take(entry)) this.commit.mark(entry, isUrgent);
  }

  /** Has the file of jobs say up to where the journal is not needed, if that is more than it says. */
  private tidyJournal(): void {
    if (this.journal.isOutdated) this.commit.mark(this.journalChange, false);
  }

  /** An entry is over that the file of jobs does not know. */
  private over(entry: JobEntry): void {
    // It is looked at again once it is in the journal.
    if (entry.isAppending) return;
    this.commit.unmark(entry);
    this.journaling?.unmark(entry);
    this.journal.drop(entry);
    this.tidyJournal();
    entry.isDirty = false;
    entry.tellOver();
    this.book.settle(entry);
  }

  /** Takes up what was accepted before a crash, and did not come to the file of jobs. */
  private recover(path: string): void {
    const { book, functions, journal } = this;
    const journals = readJournals(path);
    const mark = readJournalMark(this.file.tables);
    const found = journals.map((each) => jobsBehind(each, mark));
    for (const { damaged } of found) damaged.forEach((record) => this.quarantine.takeJournaled(record));
    const entries = found
      .flatMap(({ jobs }) => jobs)
      .filter(({ handle }) => !book.find(handle))
      .map((job) => new JobEntry(functions.row(job.function).queues[job.priority], job, undefined));
    journal.recovered(
      entries,
      journals.map(({ name }) => join(path, name)),
      found.some(({ damaged }) => damaged.length > 0),
    );
    for (const entry of entries) {
      // Its handle is another run's.
      entry.isFresh = false;
      this.sequence = Math.max(this.sequence, entry.sequence);
      if (entry.job.unique !== '') book.doubtUniques();
      this.enter(entry, undefined, false);
      this.mark(entry, false);
    }
    this.tidyJournal();
  }

  /** A new job comes into its queue; answers whether it is leased. */
  enter(entry: JobEntry, holder: JobEntry | undefined, lease: boolean | 'always'): boolean {
    const { book, commit, leasing } = this;
    const { job, queue } = entry;
    if (job.unique !== '') book.takeUnique(entry, holder);
    const isNext = leasing.isNext(queue, job);
    const isLeased = lease === 'always' || (lease && isNext && !commit.isFailing);
    queue.count(entry, 1);
    if (isLeased) leasing.begin(entry, isNext);
    else if (commit.isFailing) entry.isHidden = true;
    else leasing.wait(entry);
    return isLeased;
  }

  /** Takes a job whose origin is new, or remembers only the origin of one that is here already. */
  async take(job: NewJob, origin: string, death: Death | undefined): Promise<OnceOutcome> {
    const { book, functions, origins } = this;
    const row = functions.row(job.function);
    const same = book.find(job.handle);
    const holder = job.unique === '' || death ? undefined : book.findByUnique(row.id, job.unique);
    const existing = same ?? (holder?.isQueued ? holder : undefined);
    if (existing) {
      await existing.whenStored();
      await origins.remember(origin);
      return same ? 'known' : 'coalesced';
    }
    const entry = new JobEntry(row.queues[job.priority], { ...job, sequence: this.nextSequence() }, undefined);
    entry.origin = origin;
    if (death) entry.fate = { is: 'dead', letter: { job: entry.job, ...death } };
    else this.enter(entry, holder, false);
    const stored = entry.whenStored(true);
    this.mark(entry, true);
    await stored;
    return 'added';
  }

  /** Fires a tick of a schedule, unless it or a later one was; a job is written with it, and hidden until it is. */
  async fire(id: string, tick: number, job: NewJob | undefined): Promise<FireOutcome> {
    const { book, functions, settings } = this;
    const name = tickName(id);
    // Who fires the same tick is written already, or about to be.
    while (settings.isChanging(name)) await this.flush();
    const value = laterTick(settings.all.get(name), tick, job?.handle);
    if (value === undefined) return 'known';
    checkSetting(name, value, settings.all);
    const row = job && functions.row(job.function);
    const holder = job?.unique && row ? book.findByUnique(row.id, job.unique) : undefined;
    if (!job || !row || holder?.isQueued) {
      settings.set(name, value);
      await this.flush();
      return 'fired';
    }
    const entry = new JobEntry(row.queues[job.priority], placed(job, this.nextSequence()), undefined);
    entry.tick = { name, value };
    settings.fire(name);
    if (job.unique !== '') book.takeUnique(entry, holder);
    entry.queue.count(entry, 1);
    entry.isHidden = true;
    const stored = entry.whenStored(true);
    this.mark(entry, true);
    try {
      await stored;
      settings.fired(name, value);
    } catch (error) {
      settings.fired(name, undefined);
      throw error;
    }
    return 'fired';
  }

  /** A table's entries in pages, as memory and the file have them, once what waits was written if it can be. */
  async *pages(table: 'jobs' | 'dead', { function: only, pageSize = 1_000 }: PageOptions): AsyncGenerator<JobEntry[]> {
    await this.flush().catch(() => undefined);
    const row = only === undefined ? undefined : this.functions.find(only);
    if (only !== undefined && !row) return;
    const { reader } = this;
    for (const page of table === 'jobs' ? reader.jobPages(pageSize, row) : reader.deadPages(pageSize)) {
      const entries = page.map((entry) => this.book.get(entry.handle) ?? entry);
      yield only === undefined ? entries : entries.filter(({ job }) => job.function === only);
      // Nothing here waits for the disk, so that without this nobody else would have a turn until the end.
      await nextTurn();
    }
  }
}
