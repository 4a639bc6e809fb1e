import { StorageError } from '../storage-error.js';
import { FunctionTable } from './function-table.js';
import type { ReadTransaction } from './lmdb-package.js';
import type { JournalMark } from './journal/journal.js';
import { FORMAT_KEY, JOURNAL_KEY, mayHaveUnchecked, SEQUENCE_KEY, UNCHECKED_KEY, type Tables } from './tables.js';

/**
 * The format this version writes; it reads all before.
 *
 * 1: records without a checksum.
 * 2: records with one; those of format 1 stay as they are until they change.
 * 3: packs, for jobs that are written together; journals beside the file.
 */
export const FORMAT = 3;

/** Refuses a format this version does not know. */
export function checkFormat(meta: Tables['meta']): void {
  const format = meta.get(FORMAT_KEY)?.[0] ?? FORMAT;
  if (format > FORMAT) {
    throw new StorageError(
      'GEARMAN_STORAGE_VERSION',
      `the file has format ${format}, this version of nestjs-gearman knows up to ${FORMAT}: use the newer one`,
    );
  }
}

/** Refuses a format this version does not know, and makes a new file's. Runs within a write transaction. */
export function prepareFormat(tables: Tables): void {
  checkFormat(tables.meta);
  if (mayHaveUnchecked(tables.meta)) void tables.meta.put(UNCHECKED_KEY, [1]);
  void tables.meta.put(FORMAT_KEY, [FORMAT]);
  FunctionTable.tidy(tables);
}

/** The last sequence a job of the file was given. */
export function readSequence(tables: Tables): number {
  return tables.meta.get(SEQUENCE_KEY)?.[0] ?? 0;
}

/** Puts the last sequence into a write. */
export function emitSequence(tables: Tables, sequence: number): void {
  void tables.meta.put(SEQUENCE_KEY, [sequence]);
}

/** Up to where which journal is not needed; undefined where none ever was. */
export function readJournalMark({ meta }: Tables, transaction?: ReadTransaction): JournalMark | undefined {
  const [claim, number] = meta.get(JOURNAL_KEY, { transaction }) ?? [];
  return claim === undefined || number === undefined ? undefined : { claim, number };
}

/** Puts a journal's mark into a write. */
export function emitJournalMark({ meta }: Tables, { claim, number }: JournalMark): void {
  void meta.put(JOURNAL_KEY, [claim, number]);
}
