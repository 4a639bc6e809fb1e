import type { Change } from './group-commit.js';
import type { JobQueue } from './job-queue.js';
import type { Tables } from './tables.js';

/** Something that is brought into the file by a write. */
export interface FileChange extends Change {
  /** The queue whose counts it may change. */
  readonly queue: JobQueue | undefined;
  /** Fixes what the write makes of it; what changes from now on is for the next write. */
  prepare(): void;
  /** Puts what was prepared into the write; must not throw. */
  emit(tables: Tables): void;
  /** The write is durable, or has failed and left the file as it was. */
  settle(isDurable: boolean): void;
}
