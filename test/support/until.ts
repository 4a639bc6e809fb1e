import { until as untilMet, type Met } from '../../lib/testing/until.js';
import { PATIENCE } from './patience.js';

/**
 * Waits until `condition` returns something true, asking every few milliseconds, and
 * returns what it returned; fails with `what` after `within` milliseconds. For what
 * cannot be awaited: another process, a file.
 */
export function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { within = PATIENCE }: { within?: number } = {},
): Promise<Met<T>> {
  return untilMet(what, condition, { within });
}

/** The result of `promise`; fails with `what` if it has not settled within `ms` milliseconds. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, deadline]);
  } finally {
    clearTimeout(timer);
  }
}
