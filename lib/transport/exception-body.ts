/**
 * A handler's failure as it is sent: the data of WORK_EXCEPTION is JSON, whatever
 * the function's format is.
 *
 *   { "status": "error", "message": "what went wrong", ... }
 *
 * is what Nest makes of an `RpcException` with a text, and of any other error
 * (whose message stays in the worker's log: "Internal server error"). An
 * `RpcException` with an object is sent as that object. What an exception filter
 * throws is sent as it is, if it is an object, an array or a string. The caller's
 * `catchError` gets the same value back.
 */
export function encodeException(error: unknown): Buffer {
  return Buffer.from(toJson(isBody(error) ? error : { status: 'error', message: String(error) }), 'utf8');
}

/**
 * The value in an exception's bytes; undefined if the bytes are no such body,
 * because a foreign worker's exception is whatever its language throws.
 */
export function decodeException(bytes: Uint8Array): object | string | undefined {
  const first = bytes[0];
  if (first === undefined || !BODY_STARTS.includes(first)) return undefined;
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isBody(value) ? value : undefined;
  } catch {
    return undefined; // a foreign worker's text that only begins like JSON
  }
}

/** `{`, `[` and `"`. A number or a bare word is more likely the text of another language. */
const BODY_STARTS = [0x7b, 0x5b, 0x22];

function isBody(value: unknown): value is object | string {
  return (typeof value === 'object' && value !== null) || typeof value === 'string';
}

function toJson(body: object | string): string {
  try {
    return JSON.stringify(body instanceof Error ? describeError(body) : body) ?? JSON.stringify(String(body));
  } catch (error) {
    // A body that cannot become JSON must still reach the caller as a failure.
    return JSON.stringify({ status: 'error', message: `the error cannot be written as JSON: ${String(error)}` });
  }
}

/** An Error that no exception filter has turned into a body: its message and code, never its stack. */
function describeError(error: Error & { code?: unknown }): object {
  const { message, code } = error;
  return { status: 'error', message, ...(typeof code === 'string' ? { code } : {}) };
}
