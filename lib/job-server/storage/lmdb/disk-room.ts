import { closeSync, existsSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { isErrorOf, type FileError } from './file-errors.js';

const PAGE = Buffer.alloc(4_096);

/** The file grows by so much at least, and by this part of it if that is more, in bytes. */
const MIN_GROWTH = 256 * 1024;
const MAX_GROWTH = 4 * 1024 * 1024;
const GROWTH_PART = 1 / 16;

/** How much room a write must have, in bytes. */
export interface Room {
  /** Behind all that is LMDB's: there it puts what needs pages in a row, and what finds no page to use again. */
  readonly tail: number;
  /** That, and pages that can be used again. */
  readonly total: number;
}

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

  /** @param folder of LMDB's file, which is there. */
  constructor(folder: string) {
    this.file = openSync(join(folder, 'data.mdb'), 'r+');
  }

  /**
   * Makes sure that LMDB can make its files in a folder, unless they are there;
   * throws the file system's error. Its lock file is mapped into memory: where
   * there is no room for it the process would be killed.
   */
  static forNewFiles(folder: string): void {
    if (existsSync(join(folder, 'lock.mdb'))) return;
    const file = join(folder, `room-${process.pid}`);
    try {
      writeFileSync(file, Buffer.alloc(MIN_GROWTH));
    } finally {
      rmSync(file, { force: true });
    }
  }

  /**
   * Makes sure that there is room; throws the file system's error. Not during a write of LMDB's.
   *
   * @param used how much of the file is LMDB's.
   * @param free tells how much of that LMDB can use again.
   */
  make(used: number, { tail, total }: Room, free: () => number): void {
    // What is there from earlier may be a hole.
    if (this.end < used) this.end = used;
    if (this.end >= used + total) {
      this.write(PAGE, this.end - PAGE.length);
      return;
    }
    try {
      this.growTo(used + total + Math.max(MIN_GROWTH, Math.min(MAX_GROWTH, used * GROWTH_PART)));
    } catch (error) {
      if (!isErrorOf(error as FileError, 'ENOSPC', 'EDQUOT')) throw error;
      const room = this.end - used;
      if (room < total && (room < tail || room + free() < total)) throw error;
    }
  }

  close(): void {
    closeSync(this.file);
  }

  private growTo(bytes: number): void {
    // Rooms are estimates, and may be fractions.
    const end = Math.ceil(bytes);
    const zeros = Buffer.alloc(MIN_GROWTH);
    while (this.end < end) this.end += this.write(zeros.subarray(0, end - this.end), this.end);
  }

  private write(bytes: Buffer, at: number): number {
    return writeSync(this.file, bytes, 0, bytes.length, at);
  }
}
