import { statfsSync } from 'node:fs';
import { constants } from 'node:os';
import { StorageError } from '../storage-error.js';

/** An error of the file system, as a reason and a cure. */
export function storageError(error: unknown, path: string): StorageError {
  if (error instanceof StorageError) return error;
  const { code, errno, message, syscall } = error as NodeJS.ErrnoException;
  // Node has no name for this one.
  const isOverQuota = code === 'EDQUOT' || errno === -constants.errno.EDQUOT;
  const options = { cause: error };
  if (code === 'ENOSPC' || isOverQuota || (code === 'EIO' && isDiskFull(path))) {
    return new StorageError('GEARMAN_STORAGE_FULL', `the disk of ${path} is full: make room`, options);
  }
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') {
    return new StorageError(
      'GEARMAN_STORAGE_READ_ONLY',
      `${path} cannot be written (${message}): mount it read-write, or give the job server's user the right to write`,
      options,
    );
  }
  const action = syscall === 'read' ? 'reading' : 'writing';
  const reason = code === 'EIO' ? 'the disk failed (Input/output error)' : `${action} failed (${message})`;
  return new StorageError('GEARMAN_STORAGE_IO', `${reason} in ${path}: check the disk and the system's log`, options);
}

function isDiskFull(path: string): boolean {
  try {
    return statfsSync(path).bavail === 0;
  } catch {
    return false;
  }
}
