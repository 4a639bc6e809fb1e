import { describe, expect, it } from '@jest/globals';
import { fromByteString, toByteString } from '../../../lib/protocol/index.js';

describe('byte strings', () => {
  it.each([
    ['', ''],
    ['reverse', 'reverse'],
    ['é', '\xc3\xa9'],
    ['日本', '\xe6\x97\xa5\xe6\x9c\xac'],
    ['👍', '\xf0\x9f\x91\x8d'],
  ])('%j has the UTF-8 bytes %j', (text, bytes) => {
    expect(toByteString(text)).toBe(bytes);
    expect(fromByteString(bytes)).toBe(text);
  });

  it('keep two names apart that are both invalid UTF-8', () => {
    expect([fromByteString('\xfe'), fromByteString('\xff')]).toEqual(['\ufffd', '\ufffd']);
    expect('\xfe').not.toBe('\xff');
  });
});
