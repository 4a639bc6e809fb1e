declare global {
  /** Set by test/jest.config.mjs for each kind of test, in milliseconds. */
  var LIMITS: { readonly test: number; readonly wait: number };
}

/**
 * How long a test waits for what must come, in milliseconds. It only guards
 * against hanging: on a machine whose cores are busy with other work anything
 * may take seconds, and a test must not fail for that. A test itself may take
 * longer, so that a wait in vain can say what it waited for.
 */
export const PATIENCE = globalThis.LIMITS.wait;

/** {@link PATIENCE} as the option of the testing kit's `until`. */
export const PATIENT = { within: PATIENCE };

/**
 * What a test may take, in milliseconds, that does so many times as much as others of its kind: a number that does not
 * grow with what else the machine does would be less than that on a busy one.
 */
export function timesAsLong(times: number): number {
  return globalThis.LIMITS.test * times;
}
