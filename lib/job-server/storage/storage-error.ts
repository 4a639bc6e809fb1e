import { GearmanError, type GearmanErrorCode } from '../../ground/index.js';

/** What can go wrong with a storage; {@link GEARMAN_ERRORS} says of each what to do. */
export type StorageErrorCode = Extract<GearmanErrorCode, `GEARMAN_STORAGE_${string}`>;

/** A storage's refusal: `code` is stable, the message says the reason and the cure. */
export class StorageError extends GearmanError {
  override readonly name = 'StorageError';

  declare readonly code: StorageErrorCode;

  constructor(code: StorageErrorCode, message: string, options?: ErrorOptions) {
    super(code, message, options);
  }
}

/** What every call of a storage that is not open rejects with. */
export function closedError(): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_CLOSED',
    'the storage is not open: open it first, and use it no more after close',
  );
}
