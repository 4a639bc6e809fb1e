/** Characters that are two columns wide on a terminal, by Unicode's East_Asian_Width: whole scripts and blocks rather than single characters. */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f], // Hangul's leading consonants
  [0x2329, 0x232a],
  [0x2e80, 0x303e], // radicals, punctuation
  [0x3041, 0xa4cf], // Kana, Bopomofo, Hangul's compatibility letters, Han, Yi
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3], // Hangul's syllables
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60], // full-width forms
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff], // Tangut, Khitan
  [0x1aff0, 0x1b2ff], // Kana's supplements
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

const IS_ASCII = /^[\x20-\x7e]*$/;
const EMOJI = /\p{Emoji_Presentation}|\p{Emoji}\u{fe0f}/u;
const WITHOUT_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u;
const CHARACTERS = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** How many columns of a terminal a text needs. Control characters in it must be escaped already. */
export function displayWidth(text: string): number {
  if (IS_ASCII.test(text)) return text.length;
  let width = 0;
  for (const { segment } of CHARACTERS.segment(text)) width += characterWidth(segment);
  return width;
}

/** As much of a text as fits into so many columns; `…` stands for what is cut off. */
export function fitted(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let left = width - 1;
  for (const { segment } of CHARACTERS.segment(text)) {
    left -= characterWidth(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** A text in exactly so many columns: cut if it is too long, or else filled with blanks, at its left if `isRight`. */
export function padded(text: string, width: number, isRight = false): string {
  const shown = fitted(text, width);
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(shown)));
  return isRight ? blanks + shown : shown + blanks;
}

/** The width of what a reader sees as one character: a letter with its accents, an emoji of several code points. */
function characterWidth(character: string): number {
  const code = character.codePointAt(0)!;
  if (WITHOUT_WIDTH.test(character)) return 0;
  return WIDE.some(([first, last]) => code >= first && code <= last) || EMOJI.test(character) ? 2 : 1;
}
