import type { Adder } from '../job-storage.js';

/** Tells those who added jobs that they are durable: once for a whole batch, and after what is being done. */
export function tellStored(adders: readonly Adder[]): void {
  if (adders.length === 0) return;
  queueMicrotask(() => {
    for (const adder of adders) adder.stored();
  });
}

/** Two who are told the same. */
export function both(one: Adder, other: Adder): Adder {
  return {
    stored: (existing) => {
      one.stored(existing);
      other.stored(existing);
    },
    refused: (error) => {
      one.refused(error);
      other.refused(error);
    },
  };
}
