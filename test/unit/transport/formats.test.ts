import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  decodeWorkload,
  encodeWorkload,
  WorkloadFormatError,
  type WorkloadFormat,
} from '../../../lib/transport/formats.js';
import { anyText } from '../../support/any-text.js';

const bytes = (...values: (string | number)[]): Buffer =>
  Buffer.concat(values.map((value) => (typeof value === 'string' ? Buffer.from(value) : Buffer.of(value))));

const encode = (value: unknown, format: WorkloadFormat): Buffer => encodeWorkload(value, format, 'f');
const decode = (value: Buffer, format: WorkloadFormat): unknown => decodeWorkload(value, format, 'f');

describe('what a value looks like in a workload', () => {
  it.each<[WorkloadFormat, unknown, Buffer]>([
    ['json', { a: [1, 'ü'] }, bytes('{"a":[1,"ü"]}')],
    ['json', 'text', bytes('"text"')],
    ['json', null, bytes('null')],
    ['json', undefined, bytes()],
    ['json', bytes(0, 255), bytes(0, 255)],
    ['json', new Uint16Array([258]), bytes(2, 1)],
    ['text', 'grüße', bytes('grüße')],
    ['text', '', bytes()],
    ['text', undefined, bytes()],
    ['text', bytes(0, 255), bytes(0, 255)],
    ['raw', bytes(0, 255), bytes(0, 255)],
    ['raw', new Uint8Array([1, 2, 3]).subarray(1), bytes(2, 3)],
    ['raw', undefined, bytes()],
    ['auto', 'plain', bytes('plain')],
    ['auto', { a: 1 }, bytes('{"a":1}')],
    ['auto', bytes(255), bytes(255)],
  ])('in %s, %p is %p', (format, value, expected) => {
    expect(encode(value, format)).toEqual(expected);
  });
});

describe('what a workload means', () => {
  it.each<[WorkloadFormat, Buffer, unknown]>([
    ['json', bytes('{"a":[1,"ü"]}'), { a: [1, 'ü'] }],
    ['json', bytes(), undefined],
    ['text', bytes('{"a":1}'), '{"a":1}'],
    ['text', bytes(), ''],
    ['text', bytes(0xef, 0xbb, 0xbf, 'x'), '\ufeffx'],
    ['raw', bytes(0, 255), bytes(0, 255)],
    ['raw', bytes(), bytes()],
    ['auto', bytes('{"a":1}'), { a: 1 }],
    ['auto', bytes('42'), 42],
    ['auto', bytes('Hello world!'), 'Hello world!'],
    ['auto', bytes(), ''],
  ])('in %s, %p is %p', (format, workload, expected) => {
    expect(decode(workload, format)).toEqual(expected);
  });
});

describe('what does not fit', () => {
  const circular: { self?: unknown } = {};
  circular.self = circular;

  it.each<[WorkloadFormat, unknown, RegExp]>([
    ['text', 42, /must be a string or a Buffer, not a number/],
    ['text', null, /not null/],
    ['raw', 'text', /must be a Buffer, not a string/],
    ['raw', [1], /not an array/],
    ['json', 1n, /cannot be written as JSON: .*BigInt/],
    ['json', circular, /cannot be written as JSON: .*circular/],
    ['json', () => 1, /cannot be written as JSON: it is a function/],
  ])('%s refuses to send %p', (format, value, problem) => {
    expect(() => encode(value, format)).toThrow(problem);
  });

  it.each<[WorkloadFormat, Buffer, RegExp]>([
    ['json', bytes('Hello world!'), /are not JSON/],
    ['json', bytes('"', 0xff, '"'), /are not UTF-8/],
    ['text', bytes(0xc3, 0x28), /are not UTF-8/],
    ['auto', bytes(0xff), /are not UTF-8/],
  ])('%s refuses to receive %p', (format, workload, problem) => {
    expect(() => decode(workload, format)).toThrow(problem);
  });

  it('is an error that names the function, the format and the cure', () => {
    const refuse = (): unknown => decodeWorkload(bytes('Hello world!'), 'json', 'reverse');
    expect(refuse).toThrow(WorkloadFormatError);
    expect(refuse).toThrow(
      expect.objectContaining({
        code: 'GEARMAN_INVALID_WORKLOAD',
        functionName: 'reverse',
        format: 'json',
        message: expect.stringMatching(
          /^function "reverse": .*not JSON.* \(format 'json'\); declare the same format on both sides/,
        ),
      }),
    );
  });

  it('has another cure where it cannot be sent: the sides need not disagree', () => {
    expect(() => encodeWorkload(1n, 'json', 'reverse')).toThrow(
      /BigInt \(format 'json'\); send a value it can hold, or declare another format on both sides/,
    );
  });
});

describe('a value that comes back', () => {
  it('is the same in json', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(decode(encode(value, 'json'), 'json')).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('is the same in text', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        expect(decode(encode(text, 'text'), 'text')).toBe(text);
      }),
    );
  });

  it('is the same in raw, without a copy', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (value) => {
        const there = encode(value, 'raw');
        expect(there.buffer).toBe(value.buffer);
        expect(decode(there, 'raw')).toEqual(Buffer.from(value));
      }),
    );
  });

  it('is the same in auto, but for text that is JSON', () => {
    fc.assert(
      fc.property(anyText(), (text) => {
        const isJson = ((): boolean => {
          try {
            JSON.parse(text);
            return true;
          } catch {
            return false;
          }
        })();
        expect(decode(encode(text, 'auto'), 'auto')).toEqual(isJson ? JSON.parse(text) : text);
      }),
    );
  });

  it('is the same value or an error, whatever bytes arrive', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom<WorkloadFormat>('json', 'text', 'auto'), (there, format) => {
        let value: unknown;
        try {
          value = decode(Buffer.from(there), format);
        } catch (error) {
          expect(error).toBeInstanceOf(WorkloadFormatError);
          return;
        }
        expect(decode(encode(value, format), format)).toEqual(value);
      }),
    );
  });
});
