import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves with a promise's result; if that takes longer than `time` milliseconds, rejects with `what` did not come. */
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
