/**
 * An exception sent as a warning, for job servers that spoil exceptions.
 *
 * For a client without the option `exceptions` C gearmand turns WORK_EXCEPTION
 * into a WORK_FAIL whose handle has a NUL too many: the `gearman` command then
 * waits for ever and Perl's client dies. So through such a job server the bytes
 * of an exception are sent first as a marked WORK_WARNING, and WORK_FAIL follows.
 */
const MARK = Buffer.from('WORK_EXCEPTION: ', 'latin1');

/** The data of a WORK_WARNING that carries an exception's bytes. */
export function exceptionWarning(bytes: Uint8Array): Buffer {
  return Buffer.concat([MARK, bytes]);
}

/** The bytes of the exception that a WORK_WARNING carries; undefined for any other warning. */
export function warnedException(warning: Buffer): Buffer | undefined {
  if (!MARK.equals(warning.subarray(0, MARK.length))) return undefined;
  // A copy, because it is kept until the WORK_FAIL, longer than the bytes that it came in.
  return Buffer.from(warning.subarray(MARK.length));
}
