import type { ByteString } from './job-spec.js';

/*
 * A handle has gearmand's form, which clients and scripts match against
 * `H:<host>:<digits>`:
 *
 *   H:web1:4821337790261542
 *          \____________/\/
 *              run     counter
 *
 * The run is drawn when a job server starts and always has as many digits; the
 * counter begins with 1 and has no zeros before it. So the digits can be taken
 * apart again, and two runs share no handle unless they drew the same number.
 */

/** How many digits the number of a run has. */
export const RUN_DIGITS = 14;

/** The most bytes a prefix may have before the colon, so that a handle with the largest counter has 63, as libgearman allows. */
export const MAX_HANDLE_PREFIX_BYTES = 32;

/**
 * How many digits at a handle's end are its counter; what stands before them is
 * the same for all handles of a run. Handles of an older form
 * (`H:web1:mwvpvrq8mjb:42`) have only the counter behind their last colon; a
 * handle that another program made may have no counter at all.
 */
export function counterLength(handle: ByteString): number {
  let digits = 0;
  while (digits < handle.length && isDigit(handle.charCodeAt(handle.length - digits - 1))) digits++;
  return digits > RUN_DIGITS ? digits - RUN_DIGITS : digits;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}
