import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { exactText, fromByteString, toByteString } from '../../../lib/protocol/index.js';
import { anyText } from '../../support/any-text.js';

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

  it('become a text that keeps bytes which are no UTF-8', () => {
    expect(exactText('caf\xe9 \xc3\xa9\xc3')).toBe('caf\udce9 é\udcc3');
    expect(exactText('\xed\xa0\x80')).toBe('\udced\udca0\udc80');
    expect(exactText('\xef\xbf\xbd')).toBe('\ufffd');
  });

  it('come back from their exact text, whatever the bytes', () => {
    const anyBytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array).toString('latin1'));
    fc.assert(fc.property(anyBytes, (bytes) => expect(toByteString(exactText(bytes))).toBe(bytes)));
    fc.assert(fc.property(anyText({ maxLength: 40 }), (text) => expect(exactText(toByteString(text))).toBe(text)));
  });
});
