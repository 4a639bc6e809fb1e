declare global {
  /** test/jest.config.mjs sets it for each kind of test, in milliseconds. */
  var LIMITS: { readonly test: number; readonly wait: number };
}

/**
 * How long a test waits for something that must come, in milliseconds. It only guards
 * against hanging: on a machine that is busy with other work anything may take
 * seconds, and a test must not fail because of that. The test itself may take longer,
 * so that a wait in vain can say what it waited for.
 */
export const PATIENCE = globalThis.LIMITS.wait;

/** {@link PATIENCE} as an option of the testing kit's `until`. */
export const PATIENT = { within: PATIENCE };

/**
 * The time limit, in milliseconds, of a test that does so many times as much as others of its kind. It multiplies the
 * usual limit, because a fixed number could be less than that on a busy machine, for which the limit is raised.
 */
export function timesAsLong(times: number): number {
  return globalThis.LIMITS.test * times;
}
