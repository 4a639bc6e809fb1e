import { describe, expect, it } from '@jest/globals';
import { byteCount, duration, oneOf, port, whole } from '../../../lib/cli/options/values.js';

describe('values', () => {
  it.each([
    ['0', 0],
    ['500ms', 500],
    ['10s', 10_000],
    ['1.5s', 1_500],
    ['2m', 120_000],
    ['1h', 3_600_000],
    ['1d', 86_400_000],
  ])('reads the time %s', (text, milliseconds) => expect(duration(text)).toBe(milliseconds));

  it.each(['10', '', 's', '-1s', '10 s', '1y', '100d'])('refuses the time %j', (text) => {
    expect(() => duration(text)).toThrow('a time with its unit');
  });

  it.each([
    ['1', 1],
    ['64K', 65_536],
    ['64k', 65_536],
    ['64MiB', 67_108_864],
    ['1G', 1_073_741_824],
  ])('reads the size %s', (text, bytes) => expect(byteCount(text)).toBe(bytes));

  it.each(['0', '', 'M', '-1', '1.5M', '1T'])('refuses the size %j', (text) => {
    expect(() => byteCount(text)).toThrow('a number of bytes');
  });

  it.each(['65536', '-1', '1e3', '0x10', '4730 ', 'gearman'])('refuses the port %j', (text) => {
    expect(() => port(text)).toThrow('a whole number from 0 to 65535');
  });

  it('reads whole numbers from the least on', () => {
    expect(whole(-1)('-1')).toBe(-1);
    expect(() => whole(1)('0')).toThrow('a whole number from 1');
  });

  it('reads one of several words', () => {
    expect(oneOf('a', 'b')('b')).toBe('b');
    expect(() => oneOf('a', 'b', 'c')('d')).toThrow('a, b or c');
  });
});
