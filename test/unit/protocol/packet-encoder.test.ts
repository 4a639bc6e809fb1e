import { describe, expect, it } from '@jest/globals';
import {
  encodedBytes,
  encodeInto,
  encodePacket,
  InvalidArgumentError,
  MissingArgumentError,
  submissionBytes,
  UnknownPacketTypeError,
} from '../../../lib/protocol/index.js';

describe('encodePacket', () => {
  it.each([
    ['a missing argument', 7, ['f', 'u'], MissingArgumentError, 'SUBMIT_JOB lacks its argument workload'],
    [
      'a NUL in an argument with others behind it',
      7,
      ['f\0', 'u', 'w'],
      InvalidArgumentError,
      'function contains a NUL',
    ],
    ['the same in bytes', 7, ['f', Buffer.from('u\0'), 'w'], InvalidArgumentError, 'unique contains a NUL'],
    ['an argument too many', 1, ['f', 'g'], InvalidArgumentError, 'the argument 2 is one too many'],
    ['text that was not turned into bytes', 7, ['☃', 'u', 'w'], InvalidArgumentError, 'toByteString'],
    ['the same in the last argument', 13, ['h', '€'], InvalidArgumentError, 'toByteString'],
    ['a type past the last', 43, [], UnknownPacketTypeError, 'this one is 43'],
    ['type 0', 0, [], UnknownPacketTypeError, 'this one is 0'],
  ])('refuses %s', (_what, type, args, error, message) => {
    expect(() => encodePacket('REQ', type, args)).toThrow(error);
    expect(() => encodePacket('REQ', type, args)).toThrow(message);
  });

  it('takes any Uint8Array, also a view into a larger one', () => {
    const view = new Uint8Array(Buffer.from('--tset--')).subarray(2, 6);
    expect(encodePacket('RES', 13, ['h', view]).toString('latin1')).toBe('\0RES\0\0\0\x0d\0\0\0\x06h\0tset');
  });
});

describe('submissionBytes', () => {
  it.each([
    ['SUBMIT_JOB', { function: 'resize', unique: 'u-1', workload: Buffer.from('4711') }, 12 + 'resize·u-1·4711'.length],
    ['SUBMIT_REDUCE_JOB', { function: 'f', unique: '', reducer: 'sum', workload: 'w' }, 12 + 'f··sum·w'.length],
  ])('is the length of %s', (_packet, job, bytes) => {
    expect(submissionBytes(job)).toBe(bytes);
  });
});

describe('encodeInto', () => {
  it('writes where it is told and says where the packet ends', () => {
    const target = Buffer.alloc(40, '.');
    const end = encodeInto(target, 3, 'RES', 8, ['H:a:1']);
    expect([end, encodedBytes(['H:a:1'])]).toEqual([20, 17]);
    expect(target.toString('latin1')).toBe(`...\0RES\0\0\0\x08\0\0\0\x05H:a:1${'.'.repeat(20)}`);
  });
});
