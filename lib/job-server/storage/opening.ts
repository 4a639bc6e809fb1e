import { closedError, StorageError } from './storage-error.js';

/** The open part of a storage, while it is open; while it is not, every call is refused. */
export class Opening<Opened extends { close(): Promise<void> }> {
  private isOpening = false;
  /** Missing while it is not open. */
  current: Opened | undefined;

  /** @throws StorageError */
  get opened(): Opened {
    if (!this.current) throw closedError();
    return this.current;
  }

  /** Rejects with a {@link StorageError} where it is open, or about to be. */
  async open(open: () => Promise<Opened>): Promise<void> {
    if (this.current || this.isOpening) {
      throw new StorageError('GEARMAN_STORAGE_IN_USE', 'the storage is open already: close it first');
    }
    this.isOpening = true;
    try {
      this.current = await open();
    } finally {
      this.isOpening = false;
    }
  }

  async close(): Promise<void> {
    const { current } = this;
    this.current = undefined;
    await current?.close();
  }
}
