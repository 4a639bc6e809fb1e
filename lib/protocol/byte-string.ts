import { isUtf8 } from 'node:buffer';

/**
 * A string in which every character is one byte (U+0000 to U+00FF).
 *
 * Function names, handles and uniques are bytes on the wire and keys in maps.
 * A byte string serves both: it compares and hashes as a string. Two different
 * names stay different, while decoding invalid UTF-8 could make them equal. And
 * V8 stores one byte a character, the cheapest way to hold many small values.
 */
export type ByteString = string;

/** What an argument of an outgoing packet may be: a byte string, or bytes. */
export type Argument = ByteString | Uint8Array;

/** A byte that is no UTF-8, as {@link exactText} writes it: half of a surrogate pair, which UTF-8 never decodes to. */
const LONE_BYTE = /[\udc80-\udcff]/u;
const LONE_BASE = 0xdc00;

/** A text as the byte string of its UTF-8 bytes. Also turns back what {@link exactText} made. */
export function toByteString(text: string): ByteString {
  if (isAscii(text)) return text;
  if (!LONE_BYTE.test(text)) return latin1Of(text);
  return text.split(/([\udc80-\udcff])/u).reduce((bytes, part, index) => {
    return bytes + (index % 2 === 0 ? latin1Of(part) : String.fromCharCode(part.charCodeAt(0) - LONE_BASE));
  }, '');
}

/** The text whose UTF-8 bytes a byte string holds; invalid UTF-8 becomes U+FFFD. */
export function fromByteString(bytes: ByteString): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/**
 * As {@link fromByteString}, but loses nothing: each byte that is no UTF-8
 * becomes a lone surrogate, U+DC80 to U+DCFF, so that `toByteString` gives back
 * exactly the bytes there were.
 */
export function exactText(bytes: ByteString): string {
  if (isAscii(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  if (isUtf8(buffer)) return buffer.toString('utf8');
  return bytes.replace(UTF8_OR_BYTE, (part, lone: string | undefined) =>
    lone === undefined ? fromByteString(part) : String.fromCharCode(LONE_BASE + lone.charCodeAt(0)),
  );
}

/** A run of well-formed UTF-8 sequences (the table of RFC 3629), or else one byte. */
const UTF8_OR_BYTE = new RegExp(
  '(?:[\\0-\\x7f]|[\\xc2-\\xdf][\\x80-\\xbf]|\\xe0[\\xa0-\\xbf][\\x80-\\xbf]|[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}|' +
    '\\xed[\\x80-\\x9f][\\x80-\\xbf]|\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}|[\\xf1-\\xf3][\\x80-\\xbf]{3}|' +
    '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2})+|([\\x80-\\xff])',
  'g',
);

function latin1Of(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isAscii(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0x7f) return false;
  }
  return true;
}
