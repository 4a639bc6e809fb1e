import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fitMetadata, frameMetadata, isMarked, unframeMetadata } from '../../../lib/driver/metadata.js';
import { toByteString } from '../../../lib/protocol/index.js';
import { anyText } from '../../support/any-text.js';

const frame = (metadata: Record<string, string>, workload: Uint8Array): Buffer =>
  frameMetadata(toByteString(JSON.stringify(metadata)), workload);

/** A frame written by hand, with the length it claims. */
const framed = (json: string, workload: string, length = Buffer.byteLength(json)): Buffer =>
  Buffer.concat([Buffer.from('\0NGMETA1'), Buffer.of(0, 0, length >> 8, length & 0xff), Buffer.from(json + workload)]);

describe('a workload with metadata', () => {
  it('is the mark, the length of the JSON, the JSON, the workload', () => {
    const there = frame({ traceparent: '00-ab-cd-01', tenant: 'grün' }, Buffer.from('Hello'));
    expect(there).toEqual(framed('{"traceparent":"00-ab-cd-01","tenant":"grün"}', 'Hello'));
  });

  it('is parted again, whatever metadata and workload are', () => {
    const metadata = fc.dictionary(anyText(), anyText(), { noNullPrototype: true });
    fc.assert(
      fc.property(metadata, fc.uint8Array(), (expected, workload) => {
        const there = frame(expected, workload);
        expect(isMarked(there)).toBe(true);
        expect(unframeMetadata(there)).toEqual({ metadata: expected, workload: Buffer.from(workload) });
      }),
    );
  });
});

describe('a workload without metadata', () => {
  it.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('Hello world!')],
    ['bytes that begin with a NUL', Buffer.from('\0NGMETA')],
    ['the mark and no length', Buffer.from('\0NGMETA1\0\0')],
    ['a length past the end', framed('{}', '', 3)],
    ['no JSON behind the length', framed('{]', 'Hello')],
    ['JSON that is no object', framed('["a"]', 'Hello')],
    ['an object whose values are not all texts', framed('{"a":1}', 'Hello')],
  ])('is left as it is: %s', (_, workload) => {
    expect(unframeMetadata(workload)).toEqual({ workload });
  });

  it('is left as it is, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (workload) => {
        expect(unframeMetadata(Buffer.from(workload))).toEqual({ workload: Buffer.from(workload) });
      }),
    );
  });
});

describe('metadata that is sent', () => {
  const long = 'x'.repeat(5_000);
  const traceparent = '00-ab-cd-01';

  it('is left as it is up to 8 KiB of JSON', () => {
    const exact = { a: 'x'.repeat(8 * 1024 - '{"a":""}'.length) };
    expect(fitMetadata(exact)).toEqual({ metadata: exact, leftOut: [] });
  });

  it.each([
    [{ traceparent, tracestate: 'a=b', baggage: long + long }, { traceparent, tracestate: 'a=b' }, ['baggage']],
    [{ traceparent, tracestate: long + long, baggage: 'a=b' }, { traceparent }, ['baggage', 'tracestate']],
    [{ traceparent, tracestate: 'ü'.repeat(4_100) }, { traceparent }, ['tracestate']],
  ])('loses baggage past that, then tracestate', (metadata, fitting, leftOut) => {
    expect(fitMetadata(metadata)).toEqual({ metadata: fitting, leftOut });
  });

  it('is refused where it is too long without them, or no object of texts', () => {
    expect(() => fitMetadata({ tenant: long + long })).toThrow(/^metadata: must have at most 8192 bytes as JSON/);
    expect(() => fitMetadata({ tenant: 1 } as never)).toThrow(/^metadata: must be an object whose values are texts/);
  });
});
