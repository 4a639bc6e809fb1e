import type { FileChange } from './file-change.js';

/** Has the file of jobs say up to where the journal is not needed, when nothing else is to be written: see {@link Journal.cover}. */
export class JournalChange implements FileChange {
  readonly queue = undefined;
  readonly home = undefined;
  readonly bytes = 0;

  prepare(): void {
    // Every write says it.
  }

  emit(): void {
    // Every write says it.
  }

  settle(): void {
    // It holds nothing.
  }
}
