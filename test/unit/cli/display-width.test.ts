import { describe, expect, it } from '@jest/globals';
import { displayWidth, fitted, padded } from '../../../lib/cli/display-width.js';

describe('the width of a text on a terminal', () => {
  it.each([
    ['', 0],
    ['reverse', 7],
    ['größe', 5],
    ['gro\u0308ße', 5],
    ['画像', 4],
    ['한글', 4],
    ['ﾊﾝｶｸ', 4],
    ['ＡＢ', 4],
    ['🦄', 2],
    ['👨‍👩‍👧', 2],
    ['❤️', 2],
    ['❤', 1],
    ['1️⃣', 2],
    ['🇩🇪', 2],
    ['a\u200bb', 2],
    ['नि', 1],
    ['…', 1],
  ])('of %j is %i', (text, width) => expect(displayWidth(text)).toBe(width));

  it('is never exceeded by what is cut, and no character is halved', () => {
    expect(fitted('画像変換', 8)).toBe('画像変換');
    expect(fitted('画像変換', 7)).toBe('画像変…');
    expect(fitted('画像変換', 6)).toBe('画像…');
    expect(fitted('👨‍👩‍👧👨‍👩‍👧', 3)).toBe('👨‍👩‍👧…');
    expect(fitted('reverse', 1)).toBe('…');
    expect(fitted('reverse', 0)).toBe('');
  });

  it('is filled up with blanks', () => {
    expect(padded('画', 4)).toBe('画  ');
    expect(padded('画', 4, true)).toBe('  画');
    expect(padded('画像', 3)).toBe('画…');
    expect(padded('画像画', 4)).toBe('画… ');
  });
});
