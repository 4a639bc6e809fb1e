/** Characters that do harm in a line: control characters, ends of lines and paragraphs, changes of the text's direction, and bytes that are no UTF-8. */
export const UNSAFE = '[\\p{Cc}\\p{Zl}\\p{Zp}\\p{Bidi_Control}\\p{Cs}]';

const IN_A_LINE = new RegExp(UNSAFE, 'gu');
/** A byte that is no UTF-8, as `exactText` writes it: U+DC80 to U+DCFF. */
const LONE_BYTE = /^[\udc80-\udcff]$/u;

/**
 * A message that may contain words of peers, as one harmless line. Escapes that
 * are in it already stay as they are; therefore it cannot be read back.
 */
export function oneLine(message: string): string {
  return message.replace(IN_A_LINE, escaped);
}

/** JSON with the same values, but harmless on a terminal. */
export function harmlessJson(json: string): string {
  return json.replace(IN_A_LINE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The bytes of a character as they are shown, each as `\x{0a}`. */
export function escaped(character: string): string {
  const bytes = LONE_BYTE.test(character) ? [character.charCodeAt(0) & 0xff] : Buffer.from(character);
  let text = '';
  for (const byte of bytes) text += `\\x{${byte.toString(16).padStart(2, '0')}}`;
  return text;
}
