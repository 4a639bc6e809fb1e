import { setTimeout as sleep } from 'node:timers/promises';

/** How long to wait. */
export interface UntilOptions {
  /** Milliseconds until waiting fails. Default 4_000, because after 5_000 Jest would end the test without saying what it waited for. */
  within?: number;
}

/** The value that a condition returned when it was met. */
export type Met<T> = Exclude<T, false | undefined | null | 0 | ''>;

const STEP = 5;

/**
 * Waits until `condition` returns something true, asking every few milliseconds,
 * and resolves to what it returned. Rejects with an error that names `what` after
 * `within`, and with the condition's own error when that throws.
 *
 * ```ts
 * await until('the mail is sent', () => mails.length === 1);
 * ```
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  { within = 4_000 }: UntilOptions = {},
): Promise<Met<T>> {
  const deadline = performance.now() + within;
  for (;;) {
    const result = await condition();
    if (result) return result as Met<T>;
    if (performance.now() > deadline) throw new Error(`waited ${within} ms in vain until ${what}`);
    await sleep(STEP);
  }
}
