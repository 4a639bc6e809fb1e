import type { Change } from '../group-commit.js';
import type { JobQueue } from './job-queue.js';
import type { Home } from './keys.js';
import type { Packer } from './packs/packer.js';
import type { PackMarks } from './packs/pack-marks.js';
import type { Tables } from './tables.js';

/** A write that is being put together. */
export interface FileWrite {
  readonly tables: Tables;
  /** New jobs without a time may go here, rather than to a row of their own. */
  readonly packer: Packer;
  /** What becomes of jobs in packs. */
  readonly marks: PackMarks;
}

/** Something that is brought into the file by a write. */
export interface FileChange extends Change {
  /** The queue whose counts it may change. */
  readonly queue: JobQueue | undefined;
  /** Where the file has it; missing when it has not. */
  readonly home: Home | undefined;
  /** Fixes what the write makes of it; what changes from now on is for the next write. */
  prepare(): void;
  /** Puts what was prepared into the write; must not throw. */
  emit(write: FileWrite): void;
  /** The write is durable, or has failed and left the file as it was. */
  settle(isDurable: boolean): void;
}

/** A change that is what it is from the start: nothing of it is fixed by a write, and it holds nothing. */
export class FixedChange implements FileChange {
  constructor(
    readonly emit: (write: FileWrite) => void,
    readonly bytes = 0,
    readonly queue: JobQueue | undefined = undefined,
    readonly home: Home | undefined = undefined,
  ) {}

  prepare(): void {
    // It is what it is.
  }

  settle(): void {
    // Written, or written again: it holds nothing.
  }
}

/** Takes a record out of the file. */
export function emitLeave({ tables, marks }: FileWrite, home: Home): void {
  if (home.pack) marks.leave(home);
  else void tables[home.table].remove(home);
}
