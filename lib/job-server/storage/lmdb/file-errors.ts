import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { StorageError } from '../storage-error.js';
import { RecordError } from './record-bytes.js';

/** Why a commit failed: lmdb-js tells it by a promise on the error, which rejects on its own. */
export async function commitError(error: unknown): Promise<unknown> {
  try {
    await (error as { commitError?: Promise<never> }).commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

const MDB_MAP_FULL = -30792;
const MDB_CORRUPTED = -30796;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_INVALID = -30793;

/** An error of LMDB (a number) or the file system (a name), as a reason and a cure. */
export function storageError(error: unknown, path: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code, message } = error as FileError;
  const is = (...names: ErrorName[]): boolean => isErrorOf(error as FileError, ...names);
  const options = { cause: error };
  if (code === MDB_MAP_FULL || is('ENOSPC', 'EDQUOT') || (is('EIO') && isDiskFull(path))) {
    return new StorageError('GEARMAN_STORAGE_FULL', `the disk of ${path} is full: make room`, options);
  }
  if (is('EROFS', 'EACCES')) {
    return new StorageError(
      'GEARMAN_STORAGE_READ_ONLY',
      `${path} cannot be written (${message}): mount it read-write, or give the job server's user the right to write`,
      options,
    );
  }
  if (error instanceof RecordError || code === MDB_CORRUPTED || code === MDB_PAGE_NOTFOUND || code === MDB_INVALID) {
    return new StorageError(
      'GEARMAN_STORAGE_CORRUPT',
      `the file in ${path} is damaged (${message}): move the folder away and put a backup in its place`,
      options,
    );
  }
  const reason = is('EIO') ? 'the disk failed (Input/output error)' : `writing failed (${message})`;
  return new StorageError('GEARMAN_STORAGE_IO', `${reason} in ${path}: check the disk and the system's log`, options);
}

/** LMDB takes a write cut short by a full disk for a failure of the disk. */
function isDiskFull(path: string): boolean {
  try {
    return statfsSync(path).bavail === 0;
  } catch {
    return false;
  }
}

type ErrorName = keyof typeof constants.errno;

/** What LMDB throws has a number as its code; what Node throws has a name, where it knows one, and a negative number. */
export interface FileError {
  readonly code?: number | string;
  readonly errno?: number;
  readonly message?: string;
}

export function isErrorOf({ code, errno }: FileError, ...names: readonly ErrorName[]): boolean {
  return names.some((name) => {
    const number = constants.errno[name];
    return code === name || code === number || errno === -number;
  });
}
