import { close, fdatasync, fsync, ftruncate, open, unlink, write } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { headerBytes, type SegmentHeader } from './record.js';
import type { Segment } from './segment.js';

const openFile = promisify(open);
const closeFile = promisify(close);
const syncData = promisify(fdatasync);
const sync = promisify(fsync);
const truncate = promisify(ftruncate);
const remove = promisify(unlink);

/** A segment that is being written. */
export class SegmentFile {
  private file: number | undefined;
  private isNamed = false;

  constructor(
    readonly segment: Segment,
    private readonly isSynced: boolean,
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
    this.file ??= await openFile(this.segment.path, 'wx', 0o600);
    await writeAll(this.file, bytes, isNew ? 0 : this.segment.end);
    if (this.isSynced) await syncData(this.file);
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

  async close(): Promise<void> {
    if (this.file !== undefined) await closeFile(this.file);
    this.file = undefined;
  }
}

async function writeAll(file: number, bytes: Buffer, offset: number): Promise<void> {
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

export { type SegmentHeader };
