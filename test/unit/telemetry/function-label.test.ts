import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { functionLabel, FunctionNames } from '../../../lib/telemetry/metrics/index.js';
import { runs } from '../../support/runs.js';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

describe('a function as a label', () => {
  it.each([
    ['plain ASCII as it is', 'reverse', 'reverse'],
    ['UTF-8 as the text it is', bytes('🦄 é'), '🦄 é'],
    ['quotes, backslashes and line feeds as they are: the text format escapes them', 'a"b\\c\nd', 'a"b\\c\nd'],
    ['bytes that are no UTF-8 as \\x and two digits', 'a\xff\xfe', 'a\\xff\\xfe'],
    ['what looks like such a byte with its backslash doubled', '\\xff', '\\\\xff'],
    ['a backslash before such a byte doubled too', '\\\xff', '\\\\\\xff'],
    ['the name of the sum of all others apart from it', '_other', '\\_other'],
    ['and so is what that would be called', '\\_other', '\\\\_other'],
  ])('is %s', (_title, name, label) => {
    expect(functionLabel(name)).toBe(label);
  });

  it('is cut at 128 characters and told apart by a hash', () => {
    const [one, other] = [functionLabel(`${'x'.repeat(500)}1`), functionLabel(`${'x'.repeat(500)}2`)];
    expect(one).toMatch(/^x{119}~[0-9a-f]{8}$/);
    expect(other).not.toBe(one);
    expect(functionLabel('x'.repeat(128))).toBe('x'.repeat(128));
  });

  it('is text that no other name has, whatever its bytes', () => {
    const part = fc.constantFrom('\\', 'x', 'ff', '\xff', '\xf0\x9f\xa6\x84', 'é', '_other', '\n', 'a');
    const name = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(name, name, (one, other) => {
        const labels = [functionLabel(one), functionLabel(other)];
        for (const label of labels) expect(Buffer.from(label).toString()).toBe(label);
        expect(labels[0] === labels[1]).toBe(one === other);
      }),
      runs(300),
    );
  });
});

describe('names given out', () => {
  it('go to the first that ask, who keep them; all others are one', () => {
    const names = new FunctionNames(2);
    expect(['a', 'b', 'c', 'a'].map((name) => names.keep(name)['function'])).toEqual(['a', 'b', '_other', 'a']);
    expect(names.keep('a')).toBe(names.keep('a'));
    expect([names.room, names.borrow('c'), names.keep('c')['function']]).toEqual([0, { function: 'c' }, '_other']);
  });
});
