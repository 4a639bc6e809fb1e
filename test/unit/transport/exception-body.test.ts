import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeException, encodeException } from '../../../lib/transport/exception-body.js';

const circular: { self?: unknown } = {};
circular.self = circular;

describe('the body of an exception', () => {
  it.each<[string, unknown, string]>([
    ["Nest's answer", { status: 'error', message: 'no' }, '{"status":"error","message":"no"}'],
    ["an RpcException's object", { code: 404, detail: { id: 7 } }, '{"code":404,"detail":{"id":7}}'],
    ['an array', ['a', 1], '["a",1]'],
    ["a filter's text", 'Invalid credentials.', '"Invalid credentials."'],
    ['an Error', new TypeError('no'), '{"status":"error","message":"no"}'],
    [
      'an Error with a code',
      Object.assign(new Error('no'), { code: 'E_NO' }),
      '{"status":"error","message":"no","code":"E_NO"}',
    ],
    ['a number', 42, '{"status":"error","message":"42"}'],
    ['nothing', undefined, '{"status":"error","message":"undefined"}'],
  ])('is JSON: %s', (_, error, expected) => {
    expect(encodeException(error).toString()).toBe(expected);
  });

  it('is a failure still where JSON cannot hold it', () => {
    expect(JSON.parse(encodeException(circular).toString())).toEqual({
      status: 'error',
      message: expect.stringMatching(/cannot be written as JSON.*circular/),
    });
  });

  it('holds no stack', () => {
    expect(encodeException(new Error('no')).toString()).not.toMatch(/\.ts/);
  });

  it('comes back as what it was', () => {
    const body = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()), fc.string());
    fc.assert(
      fc.property(body, (error) => {
        expect(decodeException(encodeException(error))).toEqual(JSON.parse(JSON.stringify(error)));
      }),
    );
  });
});

describe("a foreign worker's exception", () => {
  it.each([['boom'], ['42'], ['null'], ['true'], [''], ['{oops'], ['"half'], ['\x04\x0b\x0812345678']])(
    'is not taken for a body: %p',
    (text) => {
      expect(decodeException(Buffer.from(text))).toBeUndefined();
    },
  );
});
