import { StorageError } from '../../job-server/storage/index.js';
import { Failure } from '../failure.js';

/** Does something with a storage; its refusals are told to a person without a stack trace. */
export async function withStorageFailures<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof StorageError)) throw error;
    throw new Failure(error.message, undefined, { cause: error });
  }
}
