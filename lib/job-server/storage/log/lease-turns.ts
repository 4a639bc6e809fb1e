import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Entry, EntryQueue } from './entry.js';
import type { OpenLog } from './open-log.js';

/** How many jobs are leased between two looks at the clock. */
const AT_ONCE = 64;

/** How long one turn of the event loop may go on with it, in milliseconds. */
const SLICE = 3;

/**
 * Leases the next jobs, at most `count`, ready at `now`; where that takes long, the others have their turns meanwhile.
 * None when the log is closed before it is done.
 *
 * @throws StorageError when the log cannot be read; then none is leased.
 */
export async function leaseInTurns(
  log: OpenLog,
  queue: EntryQueue,
  count: number,
  now: number,
): Promise<readonly Entry[]> {
  const leased: Entry[] = [];
  let endsAt = performance.now() + SLICE;
  try {
    for (;;) {
      const wanted = Math.min(AT_ONCE, count - leased.length);
      const entries = log.lease(queue, wanted, now);
      leased.push(...entries);
      if (entries.length < wanted || leased.length >= count) return leased;
      if (performance.now() < endsAt) continue;
      await nextTurn();
      if (!log.isOpen) return [];
      endsAt = performance.now() + SLICE;
    }
  } catch (error) {
    for (const entry of leased) if (entry.phase.fate === 'leased') log.giveBack(entry, false);
    throw error;
  }
}
