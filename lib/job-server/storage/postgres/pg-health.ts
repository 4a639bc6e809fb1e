import { setTimeout as delay } from 'node:timers/promises';
import type { StorageListener } from '../job-storage.js';
import type { StorageError } from '../storage-error.js';

/** How often who waits for a write looks whether the database has gone, in milliseconds. */
const TROUBLE_LOOK = 20;

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

  /** Resolves when a writer has nothing under way; rejects when the database cannot be reached meanwhile. */
  async untilWritten(writing: () => Promise<void> | undefined): Promise<void> {
    for (let under = writing(); under; under = writing()) {
      if (this.trouble) throw this.trouble.error;
      await Promise.race([under, delay(TROUBLE_LOOK)]);
    }
  }
}
