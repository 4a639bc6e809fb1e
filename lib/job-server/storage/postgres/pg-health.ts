import { setTimeout as delay } from 'node:timers/promises';
import type { StorageListener } from '../job-storage.js';
import type { StorageError } from '../storage-error.js';

/** How often who waits for a write looks whether the database has gone, in milliseconds. */
const TROUBLE_LOOK = 20;

/** What can fail alone: to write jobs, to write what became of them, to look, to show that one is alive. */
export type Doing = 'adds' | 'ends' | 'looks' | 'beats';

/** Why something cannot be done, and since when on the clock of durations. */
export interface Trouble {
  readonly error: StorageError;
  readonly since: number;
}

/** What cannot be done in the database now; the first of it is told to the listener when it changes. */
export class PgHealth {
  private readonly troubles = new Map<Doing, Trouble>();
  /** What has failed for longest. */
  trouble: Trouble | undefined;

  constructor(private readonly listener: StorageListener) {}

  of(doing: Doing): Trouble | undefined {
    return this.trouble && this.troubles.get(doing);
  }

  failed(doing: Doing, error: StorageError): void {
    this.troubles.set(doing, { error, since: this.troubles.get(doing)?.since ?? performance.now() });
    this.tell();
  }

  worked(doing: Doing): void {
    if (this.trouble && this.troubles.delete(doing)) this.tell();
  }

  /** Resolves when a writer has nothing more under way; rejects when it cannot write meanwhile. */
  async untilWritten(doing: Doing, writing: () => Promise<unknown> | undefined): Promise<void> {
    for (let under = writing(); under; under = writing()) {
      const trouble = this.of(doing);
      if (trouble) throw trouble.error;
      await Promise.race([under, delay(TROUBLE_LOOK)]);
    }
  }

  private tell(): void {
    const before = this.trouble;
    this.trouble = this.troubles.values().next().value;
    if (this.trouble?.error.message !== before?.error.message) this.listener.trouble(this.trouble?.error);
  }
}
