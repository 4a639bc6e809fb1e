import { escaped, UNSAFE } from '../ground/index.js';
import { exactText, fromByteString, toByteString, type ByteString } from './byte-string.js';

/*
 * How a name is shown where it is part of a text and not an argument of a packet:
 * a row of an admin list, a log, an error's message, a table on a terminal.
 *
 * A peer may choose any name for itself, its functions, uniques and errors. Such
 * a name must not begin a new line or column in the text, control a terminal, or
 * change the direction of the text beside it. So each byte of a character that
 * could do so is shown as `\x{0a}`. Ordinary names stay as they are, including
 * the backslashes of PHP's class names: a backslash is escaped only where it
 * would look like the beginning of an escape. So every name can be read back.
 */

/** A backslash that a reader would mistake for the beginning of an escape. */
const MISTAKABLE = '\\\\(?=x\\{(?:[0-9a-fA-F]{2})?\\})';

const IN_A_NAME = new RegExp(`${UNSAFE}|${MISTAKABLE}`, 'gu');
const IN_A_WORD = new RegExp(`${UNSAFE}|${MISTAKABLE}|\\p{White_Space}`, 'gu');
const ESCAPE = /\\x\{([0-9a-f]{2})?\}/gi;

/** Most names contain nothing to escape; these recognize them. */
const IS_PLAIN = /^[ -[\]-~]*$/;
const IS_PLAIN_WORD = /^[!-[\]-~]+$/;

/** Shows an empty name where an empty text would be overlooked. */
const NOTHING = '\\x{}';

/** A name in a column of its own. */
export function showName(name: ByteString): ByteString {
  return IS_PLAIN.test(name) ? name : toByteString(exactText(name).replace(IN_A_NAME, escaped));
}

/** A name in a list that blanks separate: it is shown without blanks, and never as an empty text. */
export function showWord(name: ByteString): ByteString {
  if (IS_PLAIN_WORD.test(name)) return name;
  return name === '' ? NOTHING : toByteString(exactText(name).replace(IN_A_WORD, escaped));
}

/** A name that is a whole line of a list: it must not look like the line that ends the list, or like an error. */
export function showRow(name: ByteString): ByteString {
  return name === '.' || name.startsWith('ERR ') ? escaped(name[0]!) + showName(name.slice(1)) : showName(name);
}

/** A client id, which ` :` follows in its line: it may contain blanks, but not ` :`. */
export function showId(id: ByteString): ByteString {
  return showName(id).replaceAll(' :', `${escaped(' ')}:`);
}

/** Turns a shown name back into the name. */
export function readName(shown: ByteString): ByteString {
  if (!shown.includes('\\')) return shown;
  return shown.replace(ESCAPE, (_, hex: string | undefined) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** As {@link showName}, for a name that is already text. */
export function showText(name: string): string {
  return name.replace(IN_A_NAME, escaped);
}

/** As {@link showWord}, for a name that is already text. */
export function showTextWord(name: string): string {
  return fromByteString(showWord(toByteString(name)));
}

/** Turns a name that a person typed, as it was shown, back into the name. */
export function readText(shown: string): string {
  return exactText(readName(toByteString(shown)));
}
