import type { StorageListener } from '../job-storage.js';
import type { StorageError } from '../storage-error.js';

/** Whether the database can be reached, told to the listener when that changes. */
export class PgHealth {
  /** Why it cannot be, and since when on the clock of durations. */
  trouble: { readonly error: StorageError; readonly since: number } | undefined;

  constructor(private readonly listener: StorageListener) {}

  failed(error: StorageError): void {
    const isNew = this.trouble?.error.message !== error.message;
    this.trouble = { error, since: this.trouble?.since ?? performance.now() };
    if (isNew) this.listener.trouble(error);
  }

  worked(): void {
    if (!this.trouble) return;
    this.trouble = undefined;
    this.listener.trouble(undefined);
  }
}
