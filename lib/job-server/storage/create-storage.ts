import { InvalidOptionError } from '../../ground/index.js';
import type { JobStorage } from './job-storage.js';
import type { LmdbStorageOptions } from './lmdb/lmdb-options.js';
import { LmdbStorage } from './lmdb/lmdb-storage.js';
import type { LogStorageOptions } from './log/log-options.js';
import { LogStorage } from './log/log-storage.js';
import { MemoryStorage } from './memory/memory-storage.js';
import type { PgStorageOptions } from './postgres/pg-options.js';
import { PgStorage } from './postgres/pg-storage.js';

/**
 * A storage by its type: `file` and `lmdb` survive restarts and crashes; `postgres`
 * is shared by several job servers; `memory` survives nothing, and is for tests.
 */
export type StorageOptions =
  | ({ readonly type: 'file' } & LogStorageOptions)
  | ({ readonly type: 'lmdb' } & LmdbStorageOptions)
  | ({ readonly type: 'postgres' } & PgStorageOptions)
  | { readonly type: 'memory' };

/** Makes the storage that options describe; it is not open yet. @throws InvalidOptionError */
export function createStorage(options: StorageOptions): JobStorage {
  const { type } = options;
  switch (type) {
    case 'file':
      return new LogStorage(options);
    case 'lmdb':
      return new LmdbStorage(options);
    case 'postgres':
      return new PgStorage(options);
    case 'memory':
      return new MemoryStorage();
    default:
      throw InvalidOptionError.notAllowed('type', type satisfies never, "'file', 'lmdb', 'postgres' or 'memory'");
  }
}
