import { StorageError } from '../../job-server/storage/index.js';
import { Failure } from '../failure.js';

/** Runs an action on a storage; the storage's errors become failures without a stack trace. */
export async function withStorageFailures<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new Failure(error.message, undefined, { cause: error });
  }
}
