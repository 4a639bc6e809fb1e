import { InvalidOptionError, oneOf } from '../../ground/index.js';
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

/** How a storage is written as an option, and made. */
interface Making<Options> {
  readonly written: string;
  make(options: Options): JobStorage;
}

/** Each storage has its row here; nothing else of this room need know which there are. */
const STORAGES: {
  readonly [Type in StorageOptions['type']]: Making<Extract<StorageOptions, { readonly type: Type }>>;
} = {
  file: { written: "{ type: 'file', path }", make: (options) => new LogStorage(options) },
  postgres: { written: "{ type: 'postgres', url }", make: (options) => new PgStorage(options) },
  memory: { written: "{ type: 'memory' }", make: () => new MemoryStorage() },
};

/** What may be written, for messages. */
export const WRITTEN_STORAGES = Object.values(STORAGES).map(({ written }) => written);

/** Makes the storage that options describe; it is not open yet. @throws InvalidOptionError */
export function createStorage(options: StorageOptions): JobStorage {
  const { type } = options;
  if (!Object.hasOwn(STORAGES, type)) throw unknownType(type);
  return (STORAGES[type] as Making<StorageOptions>).make(options);
}

function unknownType(type: string): InvalidOptionError {
  const { allowed } = oneOf(...Object.keys(STORAGES));
  if (type !== 'lmdb') return InvalidOptionError.notAllowed('type', type, allowed);
  return new InvalidOptionError(
    'type',
    `must be ${allowed}: write { type: 'file', path } with the path of another folder in the place of 'lmdb', ` +
      'and have `nestjs-gearman import --from lmdb DIR --queue-path PATH` bring its jobs',
  );
}
