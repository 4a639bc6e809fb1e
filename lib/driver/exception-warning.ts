/**
 * An exception in the clothes of a warning, for job servers that cannot say one.
 *
 * To a client without the option `exceptions` C gearmand turns WORK_EXCEPTION
 * into a WORK_FAIL whose handle has a NUL too many: the `gearman` command then
 * waits for ever and Perl's client dies. So over such a job server the words
 * of an exception go ahead as WORK_WARNING, marked, and WORK_FAIL follows.
 */
const MARK = Buffer.from('WORK_EXCEPTION: ', 'latin1');

/** The workload of a WORK_WARNING that carries an exception's. */
export function exceptionWarning(bytes: Uint8Array): Buffer {
  return Buffer.concat([MARK, bytes]);
}

/** The exception's workload in that of a WORK_WARNING; undefined for any other warning. */
export function warnedException(warning: Buffer): Buffer | undefined {
  if (!MARK.equals(warning.subarray(0, MARK.length))) return undefined;
  // Kept until the WORK_FAIL, beyond the life of what arrived beside it.
  return Buffer.from(warning.subarray(MARK.length));
}
