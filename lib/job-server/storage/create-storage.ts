import type { JobStorage } from './job-storage.js';
import type { LmdbStorageOptions } from './lmdb/lmdb-options.js';
import { LmdbStorage } from './lmdb/lmdb-storage.js';
import { MemoryStorage } from './memory-storage.js';
import { StorageError } from './storage-error.js';

/** A storage by its type: `lmdb` survives restarts and crashes; `memory` survives neither, and is for tests. */
export type StorageOptions = ({ readonly type: 'lmdb' } & LmdbStorageOptions) | { readonly type: 'memory' };

/** Makes the storage that options describe; it is not open yet. Throws a {@link StorageError} for invalid options. */
export function createStorage(options: StorageOptions): JobStorage {
  const { type } = options;
  switch (type) {
    case 'lmdb':
      return new LmdbStorage(options);
    case 'memory':
      return new MemoryStorage();
    default:
      throw new StorageError(
        'GEARMAN_STORAGE_INVALID',
        `the storage's option type is 'lmdb' or 'memory', not ${JSON.stringify(type satisfies never)}`,
      );
  }
}
