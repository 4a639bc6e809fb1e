import { statfsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { storageError } from '../folder/file-errors.js';
import { syncFolder } from '../folder/folder.js';
import type { GroupCommit } from '../group-commit.js';
import type { StorageError } from '../storage-error.js';
import type { LogChange } from './entry.js';
import { removeIndex, writeCheckpoint, writeIndex } from './index-file.js';
import type { LogIndex } from './log-index.js';
import type { LogWriter } from './log-writer.js';
import type { LogSizes } from './log-options.js';
import { segmentOfName, type Segment } from './segment.js';

/** The log has at most so many times the bytes of what lives in it, and the slack. */
const MAX_TIMES = 2;

/** When nothing was written for so long, in milliseconds, less slack is allowed. */
const IDLE_AFTER = 1_000;

/** Items are copied forward so many at a time, or so many bytes. */
const COPY_ITEMS = 256;
const COPY_BYTES = 1024 * 1024;

/** Many small segments, of many starts, are copied into one. */
const MAX_SMALL = 16;

/** Who writes items once more, and is told how compaction goes. */
export interface Rewriter {
  /** Has an item written once more, behind all others; answers its length. Throws a StorageError. */
  rewrite(number: number): number;
  /** It fails, or works again. */
  compaction(error: StorageError | undefined): void;
}

/**
 * Keeps the log short, beside the writing: segments are deleted oldest first,
 * so that an item's end, which stands behind it, is never gone before it. What
 * still lives in the oldest is copied forward when the log has grown to several
 * times what lives in it. So each byte is copied once for every byte or two that
 * were written, and no straggler keeps more than itself.
 */
export class Maintenance {
  private running: Promise<void> = Promise.resolve();
  private isDue = false;
  private isStopped = false;
  private timer: NodeJS.Timeout | undefined;
  private wasWritten = false;
  private segmentsSeen = 0;
  /** Why it fails, as it was told. */
  private failure: StorageError | undefined;

  constructor(
    private readonly index: LogIndex,
    private readonly writer: LogWriter,
    private readonly commit: GroupCommit<LogChange>,
    private readonly rewriter: Rewriter,
    private readonly sizes: LogSizes,
  ) {
    if (index.segments.length > 0) this.look();
  }

  /** Something was written: is there something to do? O(1). */
  look(): void {
    this.wasWritten = true;
    const { segments } = this.index;
    const [oldest] = segments;
    if (segments.length !== this.segmentsSeen || (oldest?.living === 0 && oldest !== this.writer.current)) {
      this.segmentsSeen = segments.length;
      this.start(false);
    }
    if (!this.isStopped) this.timer ??= setTimeout(() => this.rest(), IDLE_AFTER).unref();
  }

  /** Resolves when nothing is being done any more, nor will be. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  /** Does something while no segment is deleted. */
  async without<Result>(action: () => Promise<Result>): Promise<Result> {
    const result = this.running.then(action);
    this.running = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }

  /** Writes index files and the checkpoint, which make a start faster. Rejects with what the file system says. */
  async checkpoint(): Promise<void> {
    const { index, writer } = this;
    const current = writer.current;
    const sealed = index.segments.filter((segment) => segment !== current);
    if (sealed.length === 0) return;
    for (const segment of sealed) await writeIndex(segment);
    await writeCheckpoint(index.path, sealed);
  }

  private rest(): void {
    this.timer = undefined;
    const isIdle = !this.wasWritten;
    this.wasWritten = false;
    if (isIdle) this.start(true);
    else this.timer = setTimeout(() => this.rest(), IDLE_AFTER).unref();
  }

  private start(isIdle: boolean): void {
    if (this.isDue || this.isStopped) return;
    this.isDue = true;
    void this.without(async () => {
      this.isDue = false;
      await this.run(isIdle);
    }).catch((error: unknown) => {
      // The next time it is tried again. That nothing can be written is told already.
      if (!this.commit.isFailing) this.tell(storageError(error, this.index.path));
    });
  }

  private tell(error: StorageError | undefined): void {
    if (error?.message === this.failure?.message) return;
    this.failure = error;
    this.rewriter.compaction(error);
  }

  private async run(isIdle: boolean): Promise<void> {
    const { index, writer } = this;
    await this.dropDead();
    if (index.segments.some((segment) => segment.book && segment !== writer.current)) await this.checkpoint();
    for (let count = index.segments.length; count > 0 && !this.isStopped && this.isTooLong(isIdle); count--) {
      const [oldest] = index.segments;
      if (!oldest) return;
      if (oldest === writer.current && (!isIdle || !(await this.writer.roll()))) return;
      if (!(await this.copyForward(oldest))) return;
      await this.dropDead();
    }
  }

  private isTooLong(isIdle: boolean): boolean {
    const { index } = this;
    const { segmentBytes, idleSlack } = this.sizes;
    const { bytes, segments } = index;
    const isScattered = segments.length > MAX_SMALL + (2 * bytes) / segmentBytes;
    return isScattered || bytes > MAX_TIMES * index.livingBytes + (isIdle ? idleSlack : segmentBytes);
  }

  private async dropDead(): Promise<void> {
    const { index, writer } = this;
    for (let [oldest] = index.segments; oldest?.living === 0 && oldest !== writer.current; [oldest] = index.segments) {
      await removeIndex(oldest);
      await removeAll(oldest);
      // Before the next one is deleted: no segment may come back, or stay, without those behind it.
      await syncFolder(index.path);
      index.dropOldest();
      this.tell(undefined);
    }
  }

  /** Writes what lives in a segment behind all others; false when it could not all be. */
  private async copyForward(segment: Segment): Promise<boolean> {
    let [items, bytes] = [0, 0];
    for (let number = segment.first; number < segment.next; number++) {
      if (!segment.isAlive(number)) continue;
      if (this.isStopped || (items === 0 && !this.hasRoom())) return false;
      bytes += this.rewriter.rewrite(number);
      if (++items < COPY_ITEMS && bytes < COPY_BYTES) continue;
      await this.commit.flush();
      items = bytes = 0;
    }
    await this.commit.flush();
    return segment.living === 0;
  }

  /** What is left of a full disk is for the ends of jobs. */
  private hasRoom(): boolean {
    const { bavail, bsize } = statfsSync(this.index.path);
    return bavail * bsize > 2 * COPY_BYTES;
  }
}

/**
 * Deletes a segment's file. Before it one of its number that a former owner began after its folder was taken over:
 * alone it would pass for the segment at the next start, and it has what was refused.
 */
async function removeAll({ folder, path, header }: Segment): Promise<void> {
  for (const name of await readdir(folder)) {
    const { number, claim } = segmentOfName(name) ?? header;
    if (number === header.number && claim < header.claim) await rm(join(folder, name), { force: true });
  }
  await rm(path, { force: true });
}
