import { escaped, UNSAFE } from '../ground/index.js';
import { exactText, fromByteString, toByteString, type ByteString } from './byte-string.js';

/*
 * How a name is shown where it is no argument of a packet but part of a text:
 * a row of an admin list, a log, an error's message, a table on a terminal.
 *
 * A peer may call itself, its functions, uniques and errors whatever it likes.
 * In a text that must neither begin a line or column of its own, nor steer a
 * terminal, nor turn the direction of what stands beside it. So each byte of
 * such a character is shown as `\x{0a}`. Ordinary names look as they are, the
 * backslashes of PHP's class names included: a backslash is only escaped where
 * it would begin an escape itself. And so every name can be read back.
 */

/** A backslash that would be read as the beginning of an escape. */
const MISTAKABLE = '\\\\(?=x\\{(?:[0-9a-fA-F]{2})?\\})';

const IN_A_NAME = new RegExp(`${UNSAFE}|${MISTAKABLE}`, 'gu');
const IN_A_WORD = new RegExp(`${UNSAFE}|${MISTAKABLE}|\\p{White_Space}`, 'gu');
const ESCAPE = /\\x\{([0-9a-f]{2})?\}/gi;

/** Names without any of that are most. */
const IS_PLAIN = /^[ -[\]-~]*$/;
const IS_PLAIN_WORD = /^[!-[\]-~]+$/;

/** What stands for a name without any byte where one would be overlooked. */
const NOTHING = '\\x{}';

/** A name in a column of its own. */
export function showName(name: ByteString): ByteString {
  return IS_PLAIN.test(name) ? name : toByteString(exactText(name).replace(IN_A_NAME, escaped));
}

/** A name among others with blanks between them: neither has it any, nor is it nothing. */
export function showWord(name: ByteString): ByteString {
  if (IS_PLAIN_WORD.test(name)) return name;
  return name === '' ? NOTHING : toByteString(exactText(name).replace(IN_A_WORD, escaped));
}

/** A name that is a line of a list: also not the line that ends the list, and no error. */
export function showRow(name: ByteString): ByteString {
  return name === '.' || name.startsWith('ERR ') ? escaped(name[0]!) + showName(name.slice(1)) : showName(name);
}

/** A client id, which is followed by ` :` in its line: it may have blanks, but not that. */
export function showId(id: ByteString): ByteString {
  return showName(id).replaceAll(' :', `${escaped(' ')}:`);
}

/** The name that was shown. */
export function readName(shown: ByteString): ByteString {
  if (!shown.includes('\\')) return shown;
  return shown.replace(ESCAPE, (_, hex: string | undefined) =>
    hex === undefined ? '' : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

/** A name that is text already, as {@link showName} shows it. */
export function showText(name: string): string {
  return name.replace(IN_A_NAME, escaped);
}

/** A name that is text already, as {@link showWord} shows it. */
export function showTextWord(name: string): string {
  return fromByteString(showWord(toByteString(name)));
}

/** The name that a person wrote as it was shown. */
export function readText(shown: string): string {
  return exactText(readName(toByteString(shown)));
}
