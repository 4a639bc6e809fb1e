import { InvalidOptionError } from '../../ground/index.js';
import { createStorage, WRITTEN_STORAGES, type StorageOptions } from './create-storage.js';
import type { JobStorage } from './job-storage.js';

/** Where background jobs are kept: a description of one of this package's storages, or one of your own. */
export type StorageOption = StorageOptions | JobStorage;

const ALLOWED = `${WRITTEN_STORAGES.join(', ')} or a JobStorage`;

/**
 * The storage that an option describes; it is opened when the job server starts.
 *
 * @throws InvalidOptionError
 */
export function storageOf(option: StorageOption): JobStorage {
  if (typeof option !== 'object' || option === null) throw InvalidOptionError.notAllowed('storage', option, ALLOWED);
  if (isStorage(option)) return option;
  if (option.type === undefined) throw InvalidOptionError.notAllowed('storage', option, ALLOWED);
  try {
    return createStorage(option);
  } catch (error) {
    if (!(error instanceof InvalidOptionError)) throw error;
    throw error.within('storage');
  }
}

function isStorage(option: StorageOption): option is JobStorage {
  return 'lease' in option && typeof option.lease === 'function';
}
