import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StorageListener } from '../job-storage.js';
import { tellStored } from '../adders.js';
import type { CommitHost } from '../group-commit.js';
import { closedError, type StorageError } from '../storage-error.js';
import { Batch } from './batch.js';
import { Entry, type LogChange, type EntryIndex } from './entry.js';
import { storageError } from './file-errors.js';
import type { FolderOwner } from './folder-owner.js';
import { firstNumber, newSecret, readRecord, recordLength } from './record.js';
import type { Reserve } from './reserve.js';
import { Segment } from './segment.js';
import { SegmentFile } from './segment-file.js';

/** Who keeps entries in memory. */
export interface EntryKeeper {
  /** An entry was written, or was refused: memory may let go of it. Called before anything else can happen. */
  settled(entry: Entry): void;
  /** It is to be taken out of its queue: it was not accepted. */
  refused(entry: Entry): void;
}

/** What a log's writer writes: whose folder it is, what is in it, and how. */
export interface WrittenLog {
  readonly index: EntryIndex;
  readonly owner: FolderOwner;
  readonly reserve: Reserve;
  /** Each batch is on disk before it counts as written. */
  readonly isSynced: boolean;
  /** How long a segment may become, in bytes. */
  readonly segmentBytes: number;
}

/**
 * Writes changes to the log, one batch at a time: one write and one fdatasync.
 *
 * After a failed write nobody knows what the file has behind its last good
 * record, and the system may have given up on what it did not sync. So that
 * segment is written no more; the next one's header says how much of it is valid.
 */
export class LogWriter implements CommitHost<LogChange> {
  private file: SegmentFile | undefined;
  private isWriting = false;
  private readonly batch: Batch;
  /** The number of the next item. */
  private nextItem: number;

  constructor(
    private readonly log: WrittenLog,
    private readonly keeper: EntryKeeper,
    private readonly listener: StorageListener,
    /** Is told after each batch that was written or failed. */
    private readonly written: () => void,
  ) {
    this.batch = new Batch(log.index.names);
    this.nextItem = log.index.segments.at(-1)?.next ?? 0;
  }

  /** The segment that is being written, if one is. */
  get current(): Segment | undefined {
    return this.file?.segment;
  }

  /** Has the next batch begin a segment; false when one is being written. */
  async roll(): Promise<boolean> {
    if (this.isWriting) return false;
    const { file } = this;
    this.file = undefined;
    await file?.close();
    return true;
  }

  async write(changes: readonly LogChange[]): Promise<void> {
    this.isWriting = true;
    try {
      await this.writeOnce(changes);
    } catch (error) {
      const isAdding = changes.some((change) => change.isAdding);
      const cause = storageError(error, this.log.index.path);
      if (!isAdding && cause.code === 'GEARMAN_STORAGE_FULL' && this.log.reserve.release()) return this.write(changes);
      this.isWriting = false;
      throw cause;
    }
  }

  async settled(changes: readonly LogChange[]): Promise<void> {
    // The answers leave before the index is told: most clients read them on another core meanwhile.
    for (const change of changes) if (change instanceof Entry && !change.note) change.tellStored();
    await nextTurn();
    const { segment } = this.file!;
    this.tell(segment);
    for (const change of changes) this.settle(change, true);
    for (const change of changes) if (change instanceof Entry) change.tellStored();
    this.isWriting = false;
    if (segment.end >= this.log.segmentBytes) await this.roll();
    this.written();
  }

  failed(changes: readonly LogChange[], error: StorageError): readonly LogChange[] {
    const kept = changes.filter((change) => change.isKept);
    for (const change of changes) if (change instanceof Entry && !change.isKept) this.drop(change, error);
    this.written();
    return kept;
  }

  dropped(changes: readonly LogChange[]): void {
    for (const change of changes) if (change instanceof Entry && change.adder) change.refuse(closedError());
  }

  trouble(error: StorageError | undefined): void {
    this.listener.trouble(error);
  }

  /** An entry could not be written, and will not be. */
  private drop(entry: Entry, error: StorageError): void {
    entry.phase = entry.phase.dropped;
    if (entry.isNothing) {
      const adder = entry.takeAdder();
      if (adder) tellStored([adder]);
    } else {
      this.keeper.refused(entry);
      entry.refuse(error);
    }
    this.keeper.settled(entry);
  }

  private async writeOnce(changes: readonly LogChange[]): Promise<void> {
    const file = (this.file ??= this.newFile());
    const { batch } = this;
    batch.begin(file.segment.header.secret, this.nextItem, file.header);
    for (const change of changes) change.emit(batch);
    const bytes = batch.finish();
    if (batch.records.length === 0) return;
    try {
      await file.append(bytes);
      // Who takes the folder over reads this segment after it said so: what was written before is there.
      this.log.owner.check();
    } catch (error) {
      this.file = undefined;
      await file.abandon();
      for (const change of changes) this.settle(change, false);
      throw error;
    }
  }

  /** The index learns what the log has, as if it read it. */
  private tell(segment: Segment): void {
    const { index } = this.log;
    const { bytes, records } = this.batch;
    if (records.length === 0) return;
    if (index.segments.at(-1) !== segment) {
      index.segments.push(segment);
      index.lastSegment = segment.header.number;
    }
    index.current = segment;
    // A header, which stands in front of the first, is counted already.
    const base = segment.end - records[0]!;
    for (const offset of records) {
      const length = recordLength(bytes, offset);
      segment.addRecord(base + offset, length, firstNumber(bytes, offset));
      readRecord(bytes, offset, length, index);
    }
    // Never twice.
    records.length = 0;
    this.nextItem = segment.next;
  }

  private settle(change: LogChange, isDurable: boolean): void {
    const before = change instanceof Entry ? change.stored : undefined;
    change.settle(isDurable);
    if (!isDurable || !(change instanceof Entry)) return;
    const { stored } = change;
    if (stored) this.log.index.hold(stored.number);
    else if (before) {
      this.log.index.forgetJob(before, change.queue.name.id, change.job);
    }
    this.keeper.settled(change);
  }

  private newFile(): SegmentFile {
    const { index, owner } = this.log;
    const last = index.segments.at(-1);
    const header = {
      number: index.lastSegment + 1,
      first: this.nextItem,
      previousEnd: last?.end ?? 0,
      claim: owner.claim,
      seed: index.seed,
      secret: newSecret(),
    };
    return new SegmentFile(new Segment(index.path, header), this.log.isSynced, this.log.segmentBytes);
  }
}
