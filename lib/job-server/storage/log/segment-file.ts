import { close, fdatasync, fsync, ftruncate, open, unlink, write, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { headerBytes } from './record.js';
import type { Segment } from './segment.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncData = promisify(fdatasync);
const sync = promisify(fsync);
const truncate = promisify(ftruncate);
const remove = promisify(unlink);

/**
 * Zeros are written ahead, as many as there are records, at least and at most so
 * many bytes: most syncs have only data to write then, and not the file's length
 * too, which takes two to five times as long.
 */
const MIN_AHEAD = 4 * 1024;
const MAX_AHEAD = 1024 * 1024;

/** A segment that is being written. */
export class SegmentFile {
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
    // What has this owner's name and this number already is what a failed disk could not delete (see `abandon`).
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

  /** Ends it after a failed write: what that left in it is void, by the next segment's header and, if it can be, at once. */
  async abandon(): Promise<void> {
    const { file, segment } = this;
    this.file = undefined;
    if (file === undefined) return;
    if (segment.items === 0 && segment.offsets.length === 0) await remove(segment.path).catch(() => undefined);
    else await truncate(file, segment.end).catch(() => undefined);
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
    // Where there is no room the records are there all the same.
    await writeAll(file, Buffer.alloc(this.ahead - end), end).catch(() => undefined);
  }
}

/** So much goes to the system's memory in less time than a thread would take to be asked for it; only a sync waits for the disk. */
const SHORT_BYTES = 128 * 1024;

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

/** Has the names in a folder written to disk, which fsync of a new file does not promise. */
export async function syncFolder(path: string): Promise<void> {
  // Windows has no such thing.
  if (process.platform === 'win32') return;
  const folder = await openFile(path, 'r');
  try {
    await sync(folder);
  } finally {
    await closeFile(folder);
  }
}
