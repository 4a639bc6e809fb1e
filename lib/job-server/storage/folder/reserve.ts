import { closeSync, existsSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const NAME = 'reserve';

/** Room for the ends of some 100,000 jobs on a full disk. */
const RESERVE_BYTES = 1024 * 1024;

/** On a small disk it takes no more than this part of the room. */
const PART = 1 / 8;

/** How long a full disk rests before the room is filled again, in milliseconds. */
const REST = 5_000;

/**
 * Room on the disk that is given up when it is full: so jobs that end can be
 * written where jobs that come cannot, and the room they leave is used again.
 */
export class Reserve {
  private readonly path: string;
  private isThere: boolean;
  private triedAt = -Infinity;

  constructor(folder: string) {
    this.path = join(folder, NAME);
    this.isThere = existsSync(this.path);
  }

  /** Fills the room again if the disk has it. */
  fill(): void {
    if (this.isThere || performance.now() - this.triedAt < REST) return;
    this.triedAt = performance.now();
    let file: number | undefined;
    try {
      const { bavail, bsize } = statfsSync(join(this.path, '..'));
      const bytes = Math.min(RESERVE_BYTES, bavail * bsize * PART);
      if (bytes < 4_096) return;
      file = openSync(this.path, 'w', 0o600);
      // Zeros: a hole takes no room.
      for (let done = 0; done < bytes;)
        done += writeSync(file, Buffer.alloc(Math.min(65_536, Math.ceil(bytes - done))));
      this.isThere = true;
    } catch {
      this.remove();
    } finally {
      if (file !== undefined) closeSync(file);
    }
  }

  /** Gives the room up; false when there is none to give. */
  giveUp(): boolean {
    const wasThere = this.isThere;
    this.triedAt = performance.now();
    this.remove();
    return wasThere;
  }

  private remove(): void {
    this.isThere = false;
    try {
      rmSync(this.path, { force: true });
    } catch {
      // It is tried again with the next full disk.
    }
  }
}
