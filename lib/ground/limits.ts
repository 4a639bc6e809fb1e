/** The longest delay a timer of Node takes, in milliseconds: 31 bits, some 24 days. A longer one would end at once. */
export const MAX_TIMER_DELAY = 2 ** 31 - 1;
