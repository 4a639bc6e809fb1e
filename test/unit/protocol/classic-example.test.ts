import { describe, expect, it } from '@jest/globals';
import { encodePacket } from '../../../lib/protocol/index.js';
import { parseAll } from './parse.js';

/** PROTOCOL, "Binary Protocol Example": who sends what, its bytes as they stand there. */
const EXAMPLE: readonly [sender: string, magic: 'REQ' | 'RES', number: number, args: string[], bytes: string][] = [
  ['worker', 'REQ', 1, ['reverse'], '00 52 45 51 00 00 00 01 00 00 00 07 72 65 76 65 72 73 65'],
  ['worker', 'REQ', 9, [], '00 52 45 51 00 00 00 09 00 00 00 00'],
  ['job server', 'RES', 10, [], '00 52 45 53 00 00 00 0a 00 00 00 00'],
  ['worker', 'REQ', 4, [], '00 52 45 51 00 00 00 04 00 00 00 00'],
  [
    'client',
    'REQ',
    7,
    ['reverse', '', 'test'],
    '00 52 45 51 00 00 00 07 00 00 00 0d 72 65 76 65 72 73 65 00 00 74 65 73 74',
  ],
  ['job server', 'RES', 8, ['H:lap:1'], '00 52 45 53 00 00 00 08 00 00 00 07 48 3a 6c 61 70 3a 31'],
  ['job server', 'RES', 6, [], '00 52 45 53 00 00 00 06 00 00 00 00'],
  ['worker', 'REQ', 9, [], '00 52 45 51 00 00 00 09 00 00 00 00'],
  [
    'job server',
    'RES',
    11,
    ['H:lap:1', 'reverse', 'test'],
    '00 52 45 53 00 00 00 0b 00 00 00 14 48 3a 6c 61 70 3a 31 00 72 65 76 65 72 73 65 00 74 65 73 74',
  ],
  ['worker', 'REQ', 13, ['H:lap:1', 'tset'], '00 52 45 51 00 00 00 0d 00 00 00 0c 48 3a 6c 61 70 3a 31 00 74 73 65 74'],
  [
    'job server',
    'RES',
    13,
    ['H:lap:1', 'tset'],
    '00 52 45 53 00 00 00 0d 00 00 00 0c 48 3a 6c 61 70 3a 31 00 74 73 65 74',
  ],
];

const bytesOf = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe("PROTOCOL's own example", () => {
  it.each(EXAMPLE)('%s sends %s %i %j', (_sender, magic, number, args, hex) => {
    expect(encodePacket(magic, number, args)).toEqual(bytesOf(hex));
    expect(parseAll([bytesOf(hex)])).toMatchObject([{ magic, number, args }]);
  });

  it('is read as one stream', () => {
    const stream = Buffer.concat(EXAMPLE.map(([, , , , hex]) => bytesOf(hex)));
    expect(parseAll([stream])).toMatchObject(EXAMPLE.map(([, magic, number, args]) => ({ magic, number, args })));
  });
});
