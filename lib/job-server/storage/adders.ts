import type { Adder } from './job-storage.js';
import type { StorageError } from './storage-error.js';
import type { StoredJob } from './stored-job.js';

/** Tells adders that their jobs are durable: all of a batch together, in a microtask. */
export function tellStored(adders: readonly Adder[]): void {
  if (adders.length === 0) return;
  queueMicrotask(() => {
    for (const adder of adders) adder.stored();
  });
}

/** Several adders that are told the same. */
class Adders implements Adder {
  constructor(private readonly adders: Adder[]) {}

  push(adder: Adder): void {
    this.adders.push(adder);
  }

  stored(existing?: StoredJob): void {
    for (const adder of this.adders) adder.stored(existing);
  }

  refused(error: StorageError): void {
    for (const adder of this.adders) adder.refused(error);
  }
}

/** An adder that tells those there were, and another one. */
export function joined(adder: Adder | undefined, other: Adder): Adder {
  if (!adder) return other;
  if (!(adder instanceof Adders)) return new Adders([adder, other]);
  adder.push(other);
  return adder;
}
