import { InvalidOptionError } from '../../ground/index.js';
import type { JobStorage } from './job-storage.js';
import type { LogStorageOptions } from './log/log-options.js';
import { LogStorage } from './log/log-storage.js';
import { MemoryStorage } from './memory/memory-storage.js';
import type { PgStorageOptions } from './postgres/pg-options.js';
import { PgStorage } from './postgres/pg-storage.js';

/**
 * A storage by its type: `file` survives restarts and crashes; `postgres` is shared by
 * several job servers; `memory` survives nothing, and is for tests.
 */
export type StorageOptions =
  | ({ readonly type: 'file' } & LogStorageOptions)
  | ({ readonly type: 'postgres' } & PgStorageOptions)
  | { readonly type: 'memory' };

/** Makes the storage that options describe; it is not open yet. @throws InvalidOptionError */
export function createStorage(options: StorageOptions): JobStorage {
  const { type } = options;
  switch (type) {
    case 'file':
      return new LogStorage(options);
    case 'postgres':
      return new PgStorage(options);
    case 'memory':
      return new MemoryStorage();
    default:
      throw unknownType(type);
  }
}

function unknownType(type: never): InvalidOptionError {
  const allowed = "'file', 'postgres' or 'memory'";
  if ((type as string) !== 'lmdb') return InvalidOptionError.notAllowed('type', type, allowed);
  return new InvalidOptionError(
    'type',
    `must be ${allowed}: write { type: 'file', path } with the path of another folder in the place of 'lmdb', ` +
      'and have `nestjs-gearman import --from lmdb DIR --queue-path PATH` bring its jobs',
  );
}
