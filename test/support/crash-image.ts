import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { LmdbStorage } from '../../lib/job-server/storage/index.js';
import { FolderOwner } from '../../lib/job-server/storage/lmdb/folder-owner.js';
import { ROOT_OPTIONS, type Root } from '../../lib/job-server/storage/lmdb/lmdb-package.js';
import { openTables, type Tables } from '../../lib/job-server/storage/lmdb/tables.js';
import { RecordingListener } from '../contract/recorded-storage.js';
import { tempDir } from './temp-dir.js';

/** Opens a storage, and what it tells. */
export async function openStorage(path: string): Promise<{ storage: LmdbStorage; listener: RecordingListener }> {
  const storage = new LmdbStorage({ path });
  const listener = new RecordingListener();
  await storage.open(listener);
  return { storage, listener };
}

/** A storage's folder as a crash at this moment would leave it: a copy, which nobody owns. */
export async function crashImage(path: string): Promise<string> {
  const copy = join(tempDir(), 'jobs');
  cpSync(path, copy, { recursive: true });
  await withTables(copy, ({ owner }) => FolderOwner.disown(owner));
  return copy;
}

/** What `action` answers of a folder's tables; they can be written to. */
export async function withTables<Result>(path: string, action: (tables: Tables) => Result): Promise<Result> {
  const root = open({ ...ROOT_OPTIONS, path } as never) as unknown as Root;
  const tables = openTables(root);
  const result = root.transactionSync(() => action(tables));
  await root.close();
  return result;
}
