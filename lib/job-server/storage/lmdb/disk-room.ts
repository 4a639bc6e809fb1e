import { closeSync, openSync, writeSync } from 'node:fs';

const PAGE = Buffer.alloc(4_096);

/** The file grows by so much at least, and by this part of it if that is more, in bytes. */
const MIN_GROWTH = 256 * 1024;
const MAX_GROWTH = 4 * 1024 * 1024;
const GROWTH_PART = 1 / 16;

/**
 * Room on the disk for a write, made before LMDB makes it:
 *
 *   file:   [ pages of LMDB's      | room: zeros ... | last page ]
 *           0                   used                            end
 *
 * A write of LMDB's that fails (a full disk, a quota, a disk that has become
 * read-only) may end the process: up to lmdb 3.5.6, its message about it is
 * longer than the memory it is put into. So the blocks of a write are taken
 * before, and where the room is large enough the last page of it is written to
 * see whether the disk still takes anything. What fails here is an ordinary
 * error, and LMDB has not begun. Beyond `used` LMDB expects nothing in its file.
 */
export class DiskRoom {
  private readonly file: number;
  private end = 0;

  /** @param path of LMDB's file. */
  constructor(path: string) {
    this.file = openSync(path, 'r+');
  }

  /** Makes sure that there are `bytes` of room behind `used`; throws the file system's error. Not during a write of LMDB's. */
  make(used: number, bytes: number): void {
    // What is there from earlier may be a hole.
    if (this.end < used) this.end = used;
    const needed = used + bytes;
    if (this.end >= needed + PAGE.length) {
      this.write(PAGE, this.end - PAGE.length);
      return;
    }
    try {
      this.growTo(needed + Math.max(MIN_GROWTH, Math.min(MAX_GROWTH, used * GROWTH_PART)));
    } catch {
      // The disk is almost full: what is needed may be there.
      this.growTo(needed + PAGE.length);
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private growTo(end: number): void {
    const zeros = Buffer.alloc(Math.min(end - this.end, MIN_GROWTH));
    while (this.end < end) this.end += this.write(zeros.subarray(0, end - this.end), this.end);
  }

  private write(bytes: Buffer, at: number): number {
    return writeSync(this.file, bytes, 0, bytes.length, at);
  }
}
