import type { Adder, StorageListener } from '../job-storage.js';
import { closedError, type StorageError } from '../storage-error.js';
import { tellStored } from '../adders.js';
import type { Room } from './disk-room.js';
import type { EntryBook } from './entry-book.js';
import type { FileChange } from './file-change.js';
import type { FunctionTable } from './function-table.js';
import type { CommitHost } from '../group-commit.js';
import { JobEntry } from './job-entry.js';
import type { JobFile } from './job-file.js';
import type { JobQueue } from './job-queue.js';
import type { JobReader } from './job-reader.js';
import type { Leasing } from './leasing.js';
import type { Journal } from './journal/journal.js';
import { emitJournalMark, emitSequence } from './file-format.js';
import { Packer } from './packs/packer.js';

/** How much room on disk a write takes that ends jobs, and how much more there must be for one that adds some, in bytes. */
const ENDING_BYTES = 32 * 1024;
const ADDING_BYTES = 96 * 1024;
/** What a change may take beside its record: in other tables, and in pages that are not full. */
const CHANGE_BYTES = 256;

/** Brings batches of changes into the file, and tells everybody how it went. */
export class JobWriter implements CommitHost<FileChange> {
  private readonly packer = new Packer();
  private writtenSequence = 0;

  constructor(
    private readonly file: JobFile,
    private readonly functions: FunctionTable,
    private readonly reader: JobReader,
    private readonly book: EntryBook,
    private readonly leasing: Leasing,
    private readonly journal: Journal,
    private readonly listener: StorageListener,
    /** The last sequence that was given to a job. */
    private readonly lastSequence: () => number,
    /** Has the file of jobs say so when it has more of the journal than it says. */
    private readonly tidyJournal: () => void,
  ) {}

  async write(changes: readonly FileChange[]): Promise<void> {
    const queues = new Set<JobQueue>();
    for (const change of changes) {
      change.prepare();
      if (change.queue) queues.add(change.queue);
    }
    const { journal, packer } = this;
    const entries = changes.filter((change) => change instanceof JobEntry);
    const sequence = this.lastSequence();
    const mark = journal.cover(entries);
    let isDurable = false;
    try {
      const marks = this.reader.marksOf(changes);
      await this.file.write(roomFor(changes), (tables) => {
        const write = { tables, packer, marks };
        for (const change of changes) change.emit(write);
        packer.emit(tables, sequence);
        marks.emit(tables);
        if (mark) emitJournalMark(tables, mark);
        this.functions.emit(tables, queues);
        if (sequence !== this.writtenSequence) emitSequence(tables, sequence);
      });
      isDurable = true;
      this.writtenSequence = sequence;
    } finally {
      this.functions.settle(queues, isDurable);
      journal.settle(entries, mark, isDurable);
      for (const change of changes) change.settle(isDurable);
    }
  }

  settled(changes: readonly FileChange[]): void {
    const adders: Adder[] = [];
    for (const entry of changes) {
      if (!(entry instanceof JobEntry)) continue;
      const adder = entry.takeAdder();
      if (adder) adders.push(adder);
      if (adder && entry.home) this.journal.isTrusted = true;
      if (entry.isHidden) this.show(entry);
      this.leasing.settle(entry);
      this.book.settle(entry);
    }
    tellStored(adders);
    this.tidyJournal();
  }

  failed(changes: readonly FileChange[], error: StorageError): FileChange[] {
    this.journal.isTrusted = false;
    return changes.filter((change) => !(change instanceof JobEntry) || this.isKept(change, error));
  }

  dropped(changes: readonly FileChange[]): void {
    for (const change of changes) {
      if (change instanceof JobEntry && change.adder) change.tellRefused(closedError());
    }
  }

  trouble(error: StorageError | undefined): void {
    this.listener.trouble(error);
  }

  /** Whether an entry that could not be written must be: not when it is over, nor when its adder is told so. */
  private isKept(entry: JobEntry, error: StorageError): boolean {
    const isRefused = entry.adder !== undefined && entry.home === undefined && !entry.isAppending;
    entry.isDirty = !entry.isNothing && !isRefused;
    if (entry.isDirty) return true;
    this.journal.drop(entry);
    if (entry.isNothing) entry.tellOver();
    else this.refuse(entry, error);
    this.book.settle(entry);
    return false;
  }

  private show(entry: JobEntry): void {
    entry.isHidden = false;
    if (entry.isWaiting) this.leasing.wait(entry);
  }

  private refuse(entry: JobEntry, error: StorageError): void {
    this.leasing.takeOut(entry);
    if (entry.isQueued) entry.queue.count(entry, -1);
    entry.tellRefused(error);
  }
}

/** The room that a write must have. New jobs need more than ends of jobs, so a full disk still takes these. */
function roomFor(changes: readonly FileChange[]): Room {
  let tail = ENDING_BYTES;
  let isAdding = false;
  for (const change of changes) {
    const adds = change instanceof JobEntry && change.home === undefined;
    isAdding ||= adds;
    tail += CHANGE_BYTES + (adds ? 1.5 * change.bytes : 0);
  }
  return { tail, total: tail + (isAdding ? ADDING_BYTES : 0) };
}
