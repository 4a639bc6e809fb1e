import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { oneLine } from '../../../lib/ground/index.js';
import {
  exactText,
  readName,
  readText,
  showId,
  showName,
  showRow,
  showText,
  showTextWord,
  showWord,
  toByteString,
} from '../../../lib/protocol/index.js';

/** What may not stand in a line, looked for in another way than the code does. */
const FORBIDDEN = new Set([
  ...range(0x00, 0x1f),
  ...range(0x7f, 0x9f),
  ...range(0x202a, 0x202e),
  ...range(0x2066, 0x2069),
  ...[0x061c, 0x200e, 0x200f, 0x2028, 0x2029, 0xfffd],
]);

function* range(first: number, last: number): Iterable<number> {
  for (let code = first; code <= last; code++) yield code;
}

/** The characters of a shown name that must not be there; U+FFFD where it is no UTF-8. */
function forbiddenIn(shown: string): string[] {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(shown, 'latin1'));
  return [...text].filter((character) => FORBIDDEN.has(character.codePointAt(0)!));
}

/** Any bytes, and those that are likely to be mistaken for something. */
const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array).toString('latin1')),
  fc
    .array(
      fc.constantFrom(
        ...['\\', 'x', '{', '}', '0', 'a', 'A', '\\x{0a}', '\\x{', '\\x{}', '\n', '\r', '\t', ' ', '.', 'ERR '],
        ...['\xc3\xa9', '\xc3', '\xa9', '\xe2\x80\xae', '\xe2\x80\xa8', '\xc2\x9b', '\xed\xa0\x80', '\x9b', '-', ':'],
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);
/** Without U+FFFD itself, which tells what is no UTF-8. */
const names = bytes.filter((name) => !name.includes('\xef\xbf\xbd'));

describe('a shown name', () => {
  it.each([
    ['reverse', 'reverse'],
    ['', ''],
    ['with blanks', 'with blanks'],
    ['App\\Jobs\\xdebug\\n', 'App\\Jobs\\xdebug\\n'],
    ['C:\\2024\\x{report}', 'C:\\2024\\x{report}'],
    [toByteString('größe 日本 👍 नमस्ते'), toByteString('größe 日本 👍 नमस्ते')],
    ['a\nb\r\tc\0', 'a\\x{0a}b\\x{0d}\\x{09}c\\x{00}'],
    ['\x1b[31m\x7f', '\\x{1b}[31m\\x{7f}'],
    // U+009B, which begins a terminal's sequence as ESC [ does; and the byte alone.
    ['\xc2\x9b31m', '\\x{c2}\\x{9b}31m'],
    ['\x9b31m', '\\x{9b}31m'],
    ['caf\xe9', 'caf\\x{e9}'],
    [toByteString('\u202egnp.exe'), '\\x{e2}\\x{80}\\x{ae}gnp.exe'],
    [toByteString('a\u2028b'), 'a\\x{e2}\\x{80}\\x{a8}b'],
    ['\\x{0a}', '\\x{5c}x{0a}'],
    ['\\x{}', '\\x{5c}x{}'],
  ])('%j looks like %j', (name, shown) => {
    expect(showName(name)).toBe(shown);
    expect(readName(shown)).toBe(name);
  });

  it('has no blanks between blanks, and is not nothing', () => {
    expect(['a b', '', '-', 'a\u00a0b'].map((name) => showWord(toByteString(name)))).toEqual([
      'a\\x{20}b',
      '\\x{}',
      '-',
      'a\\x{c2}\\x{a0}b',
    ]);
  });

  it('does not end its list, and is no error, on a line of its own', () => {
    expect(['.', '..', 'ERR x', 'ERRx', ''].map(showRow)).toEqual(['\\x{2e}', '..', '\\x{45}RR x', 'ERRx', '']);
  });

  it('does not end the id of its line', () => {
    expect(['w 2', 'id : f', ' :', '', ':'].map(showId)).toEqual(['w 2', 'id\\x{20}: f', '\\x{20}:', '', ':']);
    fc.assert(fc.property(names, (name) => expect(showId(name)).not.toContain(' :')));
  });

  it('can be read back, whatever its bytes', () => {
    fc.assert(
      fc.property(names, (name) => {
        for (const show of [showName, showWord, showRow, showId]) expect(readName(show(name))).toBe(name);
        expect(readText(showText(exactText(name)))).toBe(exactText(name));
        expect(readText(showTextWord(exactText(name)))).toBe(exactText(name));
      }),
    );
  });

  it('is harmless, whatever its bytes', () => {
    fc.assert(
      fc.property(names, (name) => {
        for (const show of [showName, showWord, showRow, showId]) expect(forbiddenIn(show(name))).toEqual([]);
        expect(showWord(name)).toMatch(/^[^ ]+$/);
        expect(forbiddenIn(toByteString(oneLine(exactText(name))))).toEqual([]);
        expect(forbiddenIn(toByteString(showText(exactText(name))))).toEqual([]);
      }),
    );
  });
});

describe('a line', () => {
  it('leaves alone what is harmless, and what is escaped already', () => {
    expect(oneLine('the job of App\\Mail and a\\x{0a}b failed: größe')).toBe(
      'the job of App\\Mail and a\\x{0a}b failed: größe',
    );
    expect(oneLine('one\ntwo\x1b[2J')).toBe('one\\x{0a}two\\x{1b}[2J');
  });
});
