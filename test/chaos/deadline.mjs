import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with what a promise does; rejects where that takes longer than so many milliseconds, and says what has not come. */
export async function within(time, what, promise) {
  const giveUp = new AbortController();
  const late = sleep(time, undefined, { signal: giveUp.signal }).then(() => {
    throw new Error(`not within ${time / 1_000} s: ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    giveUp.abort();
  }
}
