/**
 * How long a test waits for what must come, in milliseconds. It only guards
 * against hanging: on a machine whose cores are busy with other work anything
 * may take seconds, and a test must not fail for that. Jest's own `testTimeout`
 * (package.json) is longer, so that a wait in vain can say what it waited for.
 */
export const PATIENCE = 60_000;

/** {@link PATIENCE} as the option of the testing kit's `until`. */
export const PATIENT = { within: PATIENCE };
