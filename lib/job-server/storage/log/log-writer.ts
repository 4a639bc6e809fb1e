import type { Adder, StorageListener } from '../job-storage.js';
import { tellStored } from '../adders.js';
import type { CommitHost } from '../group-commit.js';
import { closedError, type StorageError } from '../storage-error.js';
import { Batch } from './batch.js';
import { Entry, type LogChange, type EntryIndex } from './entry.js';
import { storageError } from './file-errors.js';
import type { FolderOwner } from './folder-owner.js';
import { firstNumber, newSecret, readRecord } from './record.js';
import type { Reserve } from './reserve.js';
import { eachRecord, Segment } from './segment.js';
import { SegmentFile } from './segment-file.js';

/** Who keeps entries in memory. */
export interface EntryKeeper {
  /** An entry was written, or was refused: memory may let go of it. Called before anything else can happen. */
  settled(entry: Entry): void;
  /** It is to be taken out of its queue: it was not accepted. */
  refused(entry: Entry): void;
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
  private writing: Promise<void> | undefined;
  private readonly batch: Batch;
  /** The number of the next segment, and of the next item. */
  private nextSegment: number;
  private nextItem: number;

  constructor(
    private readonly index: EntryIndex,
    private readonly owner: FolderOwner,
    private readonly reserve: Reserve,
    private readonly isSynced: boolean,
    private readonly segmentBytes: number,
    private readonly keeper: EntryKeeper,
    private readonly listener: StorageListener,
    /** Is told after each batch that was written or failed. */
    private readonly written: () => void,
  ) {
    const last = index.segments.at(-1);
    this.batch = new Batch(index.names);
    this.nextSegment = (last?.header.number ?? 0) + 1;
    this.nextItem = last?.next ?? 0;
  }

  /** The segment that is being written, if one is. */
  get current(): Segment | undefined {
    return this.file?.segment;
  }

  /** Has the next batch begin a segment, once the one that is being written is. */
  async roll(): Promise<void> {
    while (this.writing) await this.writing.catch(() => undefined);
    await this.seal();
  }

  async write(changes: readonly LogChange[]): Promise<void> {
    this.writing = this.writeIfCan(changes);
    try {
      await this.writing;
    } finally {
      this.writing = undefined;
    }
  }

  private async seal(): Promise<void> {
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }

  private async writeIfCan(changes: readonly LogChange[]): Promise<void> {
    try {
      await this.writeOnce(changes);
    } catch (error) {
      const isAdding = changes.some((change) => change.isAdding);
      const cause = storageError(error, this.index.path);
      if (isAdding || cause.code !== 'GEARMAN_STORAGE_FULL' || !this.reserve.release()) throw cause;
      await this.writeIfCan(changes);
    }
  }

  settled(changes: readonly LogChange[]): void {
    const adders: Adder[] = [];
    for (const entry of changes) {
      if (!(entry instanceof Entry)) continue;
      const adder = entry.takeAdder();
      if (adder) adders.push(adder);
    }
    tellStored(adders);
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
    entry.saving = 'saved';
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
    const { segment } = file;
    const { header } = file;
    this.batch.begin(segment.header.secret, this.nextItem, header);
    for (const change of changes) change.emit(this.batch);
    const bytes = this.batch.finish();
    let isDurable = false;
    try {
      if (bytes.length > (header?.length ?? 0)) {
        await file.append(bytes);
        // Who takes the folder over reads this segment after it said so: what was written before is there.
        this.owner.check();
        this.tell(segment, bytes, header?.length ?? 0);
      }
      isDurable = true;
    } catch (error) {
      this.file = undefined;
      await file.abandon();
      throw error;
    } finally {
      for (const change of changes) this.settle(change, isDurable);
    }
    if (segment.end >= this.segmentBytes) await this.seal();
  }

  /** The index learns what the log has, as if it read it. */
  private tell(segment: Segment, bytes: Buffer, start: number): void {
    const { index } = this;
    if (index.segments.at(-1) !== segment) {
      index.segments.push(segment);
      this.nextSegment++;
    }
    index.current = segment;
    const base = start > 0 ? 0 : segment.end;
    const records = bytes.subarray(start);
    eachRecord(records, segment.header.secret, {
      record: (offset, length) => {
        segment.addRecord(base + start + offset, length, firstNumber(records, offset));
        readRecord(records, offset, length, index);
      },
      damage: () => undefined,
    });
    this.nextItem = segment.next;
  }

  private settle(change: LogChange, isDurable: boolean): void {
    const before = change instanceof Entry ? change.stored : undefined;
    change.settle(isDurable);
    if (!isDurable || !(change instanceof Entry)) return;
    const { stored } = change;
    if (stored) this.index.hold(stored.number);
    else if (before) {
      this.index.forgetJob(before, change.queue.name.id, change.job);
    }
    this.keeper.settled(change);
  }

  private newFile(): SegmentFile {
    const { index, owner } = this;
    const last = index.segments.at(-1);
    const header = {
      number: this.nextSegment,
      first: this.nextItem,
      previousEnd: last?.end ?? 0,
      claim: owner.claim,
      seed: index.seed,
      secret: newSecret(),
    };
    return new SegmentFile(new Segment(index.path, header), this.isSynced, this.segmentBytes);
  }
}
