/** The longest delay that a timer of Node accepts, in milliseconds: 31 bits, some 24 days. Node would let a longer one end at once. */
export const MAX_TIMER_DELAY = 2 ** 31 - 1;

/** The longest name of a function, in bytes: a job server keeps it for as long as it runs, whoever named it. */
export const MAX_FUNCTION_BYTES = 1_000;

/** The longest unique, in bytes: gearmand's limit, and ours. */
export const MAX_UNIQUE_BYTES = 64;

/** How much of what a peer calls itself is kept, in bytes, as in gearmand. */
export const MAX_CLIENT_ID_BYTES = 127;
