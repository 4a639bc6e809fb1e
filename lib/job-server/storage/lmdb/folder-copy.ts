import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StorageError } from '../storage-error.js';
import { storageError } from './file-errors.js';
import { FolderOwner } from './folder-owner.js';
import type { JournalFile } from './journal/journal-recovery.js';
import { ROOT_OPTIONS, type Lmdb, type Root } from './lmdb-package.js';
import { openTables } from './tables.js';

/**
 * Copies a file, as one moment has it, to a new folder that nobody owns. The
 * folder gets its name once all of it is on disk: one that was interrupted
 * stays `PATH.partial`, and is none.
 *
 * @param journals what the folder's journals were before.
 */
export async function copyFolder(
  lmdb: Lmdb,
  root: Root,
  folder: string,
  journals: readonly JournalFile[] = [],
): Promise<void> {
  const path = resolve(folder);
  const partial = `${path}.partial`;
  try {
    if (existsSync(path) && readdirSync(path).length > 0) throw taken(path);
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { recursive: true, mode: 0o700 });
    await root.backup(partial, true);
    chmodSync(join(partial, 'data.mdb'), ROOT_OPTIONS.permissionsMode);
    for (const { name, bytes } of journals) writeFileSync(join(partial, name), bytes, { mode: 0o600, flush: true });
    await disown(lmdb, partial);
    renameSync(partial, path);
  } catch (error) {
    throw storageError(error, path);
  }
}

/** The owner that was copied owns only the original. Writing that also has the copy synced to disk. */
async function disown(lmdb: Lmdb, path: string): Promise<void> {
  const copy = lmdb.open({ ...ROOT_OPTIONS, path });
  try {
    const { owner } = openTables(copy);
    copy.transactionSync(() => FolderOwner.disown(owner));
  } finally {
    await copy.close();
  }
}

function taken(path: string): StorageError {
  return new StorageError('GEARMAN_STORAGE_INVALID', `${path} is not empty: name a new folder for the copy`);
}
