import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';
import { mustSucceed, run } from './run.js';
import { tempDir } from './temp-dir.js';

/** A small disk in memory, unmounted when the test file is over. Needs the peer `a disk of its own`. */
export class Disk {
  private constructor(readonly path: string) {}

  /** @param size in the form that mount expects: `2m`. */
  static async mount(size: string): Promise<Disk> {
    const path = tempDir();
    await mustSucceed('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
    // Lazily, because a process that still has a file open there may be ended later than this.
    atEnd(async () => void (await run('umount', ['--lazy', path])));
    return new Disk(path);
  }

  /** Uses up all the room there is. */
  fill(): void {
    const file = join(this.path, 'ballast');
    for (let bytes = 1024 * 1024; bytes >= 1; bytes /= 2) {
      try {
        for (;;) writeFileSync(file, Buffer.alloc(bytes), { flag: 'a' });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  }

  /** Frees the room that {@link fill} used. */
  clear(): void {
    rmSync(join(this.path, 'ballast'));
  }

  async makeReadOnly(): Promise<void> {
    await mustSucceed('mount', ['-o', 'remount,ro', this.path]);
  }

  async makeWritable(): Promise<void> {
    await mustSucceed('mount', ['-o', 'remount,rw', this.path]);
  }
}
