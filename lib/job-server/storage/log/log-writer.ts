import { close, fdatasync, ftruncate, open, unlink, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { promisify } from 'node:util';
import { tellStored } from '../adders.js';
import { syncFolder } from '../folder/folder.js';
import { storageError } from '../folder/file-errors.js';
import type { OwnedFolder } from '../folder/owned-folder.js';
import type { CommitHost } from '../group-commit.js';
import { closedError, type StorageError } from '../storage-error.js';
import { Batch } from './batch.js';
import { Entry, type LogChange } from './entry.js';
import type { LogIndex } from './log-index.js';
import { firstNumber, headerBytes, newSecret, readRecord, recordLength } from './record.js';
import { Segment } from './segment.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncData = promisify(fdatasync);
const truncate = promisify(ftruncate);
const remove = promisify(unlink);

/**
 * Zeros are written ahead, as many as there are records, at least and at most so
 * many bytes: most syncs have only data to write then, and not the file's length
 * too, which takes two to five times as long.
 */
const MIN_AHEAD = 4 * 1024;
const MAX_AHEAD = 1024 * 1024;

/**
 * Up to so many bytes are written at once: they are in the system's memory sooner than a thread
 * could be asked for it. Only a sync waits for the disk.
 */
const SHORT_BYTES = 128 * 1024;

/** Who keeps entries in memory, and is told how the writing goes. */
export interface EntryKeeper {
  /** An entry was written, or was refused: memory may let go of it. Called before anything else can happen. */
  settled(entry: Entry): void;
  /** Writing fails, or works again. */
  trouble(error: StorageError | undefined): void;
  /** A batch was written, or failed. */
  written(): void;
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
  private readonly batch = new Batch();
  /** The number of the next item. */
  private nextItem: number;

  constructor(
    private readonly index: LogIndex,
    private readonly folder: OwnedFolder,
    private readonly keeper: EntryKeeper,
    private readonly options: { readonly isSynced: boolean; readonly segmentBytes: number },
  ) {
    this.nextItem = index.segments.at(-1)?.next ?? 0;
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
      const cause = storageError(error, this.index.path);
      if (!isAdding && cause.code === 'GEARMAN_STORAGE_FULL' && this.folder.reserve.giveUp())
        return this.write(changes);
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
    if (segment.end >= this.options.segmentBytes) await this.roll();
    this.keeper.written();
  }

  failed(changes: readonly LogChange[], error: StorageError): readonly LogChange[] {
    const kept = changes.filter((change) => change.isKept);
    for (const change of changes) if (change instanceof Entry && !change.isKept) this.drop(change, error);
    this.keeper.written();
    return kept;
  }

  dropped(changes: readonly LogChange[]): void {
    for (const change of changes) if (change instanceof Entry && change.adder) change.refuse(closedError());
  }

  trouble(error: StorageError | undefined): void {
    this.keeper.trouble(error);
  }

  /** An entry could not be written, and will not be. */
  private drop(entry: Entry, error: StorageError): void {
    entry.phase = entry.phase.dropped;
    if (entry.isNothing) {
      const adder = entry.takeAdder();
      if (adder) tellStored([adder]);
    } else entry.refuse(error);
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
      // An owner that takes the folder over reads this segment only after it has said so: what was
      // written before is there.
      this.folder.owner.check();
    } catch (error) {
      this.file = undefined;
      // Another owner may have read the file: this one must not cut it.
      await file.abandon((error as StorageError).code !== 'GEARMAN_STORAGE_TAKEN_OVER');
      for (const change of changes) this.settle(change, false);
      throw error;
    }
  }

  /** The index learns what the log has, as if it read it. */
  private tell(segment: Segment): void {
    const { index } = this;
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
    if (before) this.index.forgetJob(before, change);
    this.keeper.settled(change);
    if (change.isInMemory && change.stored) this.index.setInMemory(change.stored.number);
  }

  private newFile(): SegmentFile {
    const { index, folder, options } = this;
    // Its header would make void what another owner has read of the segment before.
    folder.owner.check();
    const last = index.segments.at(-1);
    const header = {
      number: index.lastSegment + 1,
      first: this.nextItem,
      previousEnd: last?.end ?? 0,
      claim: folder.owner.claim,
      seed: index.seed,
      secret: newSecret(),
    };
    return new SegmentFile(new Segment(index.path, header), options.isSynced, options.segmentBytes);
  }
}

/** A segment that is being written. */
class SegmentFile {
  private file: number | undefined;
  private isNamed = false;
  /** Up to where the file has zeros. */
  private ahead = 0;

  constructor(
    readonly segment: Segment,
    private readonly isSynced: boolean,
    /** No zeros are written behind this. */
    private readonly maxBytes: number,
  ) {}

  /** What stands before the first record, until that is written. */
  get header(): Buffer | undefined {
    return this.file === undefined ? headerBytes(this.segment.header) : undefined;
  }

  /**
   * Writes records behind the others; resolves when they are on disk, and the
   * file's name is. Rejects with what the file system says; then the segment
   * can only be {@link abandon}ed.
   */
  async append(bytes: Buffer): Promise<void> {
    const isNew = this.file === undefined;
    // A file of this name is one that a failed disk could not delete (see `abandon`).
    this.file ??= await openFile(this.segment.path, 'w', 0o600);
    const offset = isNew ? 0 : this.segment.end;
    await writeAll(this.file, bytes, offset);
    if (this.isSynced) {
      await this.writeAhead(this.file, offset + bytes.length);
      await syncData(this.file);
    }
    if (!this.isNamed && this.isSynced) await syncFolder(dirname(this.segment.path));
    this.isNamed = true;
  }

  /** Ends it after a failed write: what that left in it is void, by the next segment's header and, if it can be, at once, while the folder is this owner's. */
  async abandon(isOwned: boolean): Promise<void> {
    const { file, segment } = this;
    this.file = undefined;
    if (file === undefined) return;
    const isEmpty = segment.items === 0 && segment.offsets.length === 0;
    if (isOwned && isEmpty) await remove(segment.path).catch(() => undefined);
    else if (isOwned) await truncate(file, segment.end).catch(() => undefined);
    await closeFile(file).catch(() => undefined);
  }

  /** Ends it, without the zeros where these can be cut off. */
  async close(): Promise<void> {
    const { file, segment } = this;
    this.file = undefined;
    if (file === undefined) return;
    // All of it is on disk.
    if (this.ahead > segment.end) await truncate(file, segment.end).catch(() => undefined);
    await closeFile(file).catch(() => undefined);
  }

  private async writeAhead(file: number, end: number): Promise<void> {
    if (end <= this.ahead) return;
    this.ahead = Math.min(end + Math.min(MAX_AHEAD, Math.max(MIN_AHEAD, end)), Math.max(end, this.maxBytes));
    // Without room for zeros the records are there all the same.
    await writeAll(file, Buffer.alloc(this.ahead - end), end).catch(() => undefined);
  }
}

async function writeAll(file: number, bytes: Buffer, offset: number): Promise<void> {
  if (bytes.length <= SHORT_BYTES) {
    for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done, bytes.length - done, offset + done);
    return;
  }
  for (let done = 0; done < bytes.length;) {
    done += await new Promise<number>((resolve, reject) => {
      write(file, bytes, done, bytes.length - done, offset + done, (error, count) => {
        if (error) reject(error);
        else resolve(count);
      });
    });
  }
}
