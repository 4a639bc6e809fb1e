/**
 * A string in which every character is one byte (U+0000 to U+00FF).
 *
 * Function names, handles and uniques are bytes on the wire and keys in maps.
 * A byte string is both: it compares and hashes as a string, it never merges
 * two different names as decoding invalid UTF-8 would, and V8 keeps it in one
 * byte a character, the cheapest way to hold many small values.
 */
export type ByteString = string;

/** What an argument of an outgoing packet may be: a byte string, or bytes. */
export type Argument = ByteString | Uint8Array;

/** A peer's text as the byte string of its UTF-8 bytes. */
export function toByteString(text: string): ByteString {
  return isAscii(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text whose UTF-8 bytes a byte string holds; invalid UTF-8 becomes U+FFFD. */
export function fromByteString(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
