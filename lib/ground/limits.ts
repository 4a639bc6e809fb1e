/** The longest delay that a timer of Node accepts, in milliseconds: 31 bits, some 24 days. Node would let a longer one end at once. */
export const MAX_TIMER_DELAY = 2 ** 31 - 1;

/** The longest name of a function that a job server with a storage takes, in bytes. */
export const MAX_FUNCTION_BYTES = 1_000;

/** The longest unique, in bytes: gearmand's limit, and ours. */
export const MAX_UNIQUE_BYTES = 64;
