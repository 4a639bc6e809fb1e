/** What can go wrong with a storage. */
export type StorageErrorCode =
  /** The disk, or the quota, is full. */
  | 'GEARMAN_STORAGE_FULL'
  /** The disk or the folder cannot be written. */
  | 'GEARMAN_STORAGE_READ_ONLY'
  /** The disk failed. */
  | 'GEARMAN_STORAGE_IO'
  /** Another process owns the folder. */
  | 'GEARMAN_STORAGE_IN_USE'
  /** Another process took the folder over; this one writes no more. */
  | 'GEARMAN_STORAGE_TAKEN_OVER'
  /** The file was written by a version this one does not know. */
  | 'GEARMAN_STORAGE_VERSION'
  /** The file cannot be trusted. */
  | 'GEARMAN_STORAGE_CORRUPT'
  /** The database cannot be reached, or what it did is not known. */
  | 'GEARMAN_STORAGE_UNREACHABLE'
  /** A package the storage needs is not installed. */
  | 'GEARMAN_STORAGE_MISSING_PACKAGE'
  /** The storage is not open. */
  | 'GEARMAN_STORAGE_CLOSED'
  /** What was given cannot be stored, or an option is invalid. */
  | 'GEARMAN_STORAGE_INVALID';

/** A storage's refusal: `code` is stable, the message says the reason and the cure. */
export class StorageError extends Error {
  override readonly name = 'StorageError';

  constructor(
    readonly code: StorageErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** What every call of a storage that is not open rejects with. */
export function closedError(): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_CLOSED',
    'the storage is not open: open it first, and use it no more after close',
  );
}
