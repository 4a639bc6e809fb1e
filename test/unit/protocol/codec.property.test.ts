import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  encodePacket,
  fromByteString,
  PACKET_TABLE,
  PacketParser,
  ProtocolError,
  toByteString,
} from '../../../lib/protocol/index.js';
import { rawPacket } from '../../support/wire.js';
import { parseAll, type ParsedPacket } from './parse.js';
import { runs } from '../../support/runs.js';

const byteStrings = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const names = byteStrings.map((text) => text.replaceAll('\0', ''));

const packets: fc.Arbitrary<ParsedPacket> = fc
  .constantFrom(...PACKET_TABLE)
  .chain(({ number, name, arguments: args }) =>
    fc.record({
      name: fc.constant<string>(name),
      number: fc.constant<number>(number),
      magic: fc.constantFrom('REQ' as const, 'RES' as const),
      args: fc.tuple(...args.map((_, index) => (index < args.length - 1 ? names : byteStrings))),
    }),
  );
const lines = fc.stringMatching(/^[a-z][ -~]{0,80}$/);

const encode = (unit: ParsedPacket | string): Buffer =>
  typeof unit === 'string' ? Buffer.from(`${unit}\n`) : encodePacket(unit.magic, unit.number, unit.args);

/** `bytes` cut at these places, given as fractions of its length. */
function cut(bytes: Buffer, fractions: readonly number[]): Buffer[] {
  const places = [0, ...fractions.map((one) => Math.floor(one * bytes.length)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

describe('codec properties', () => {
  it('packets and lines come out as they went in, however the stream is cut', () => {
    const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 30 });
    fc.assert(
      fc.property(
        fc.array(fc.oneof({ weight: 4, arbitrary: packets }, lines), { maxLength: 12 }),
        cuts,
        (units, places) => {
          expect(parseAll(cut(Buffer.concat(units.map(encode)), places))).toEqual(units);
        },
      ),
      runs(100),
    );
  });

  it('agrees with the encoder of the tests', () => {
    fc.assert(
      fc.property(packets, (packet) => {
        const { magic, number, args } = packet;
        expect(encode(packet)).toEqual(rawPacket(`\0${magic}`, number, args.join('\0')));
      }),
    );
  });

  it('random bytes are packets, lines or a ProtocolError, and never hold the parser up', () => {
    const magics = fc
      .constantFrom('\0REQ', '\0RES', '\0RE', 'GET / HTTP/1.1\r\n', '\x16\x03\x01')
      .map((text) => Buffer.from(text, 'latin1'));
    const noise = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
      magics,
      fc.nat(60).map((number) => Buffer.from([0, 0, 0, number])),
    );
    fc.assert(
      fc.property(fc.array(noise, { maxLength: 40 }), (chunks) => {
        const parser = new PacketParser({ maxPacketBytes: 1000 });
        const total = chunks.reduce((sum, { length }) => sum + length, 0);
        let steps = 0;
        try {
          for (const chunk of chunks) {
            parser.push(chunk);
            for (;;) {
              steps++;
              try {
                if (parser.next() === undefined) break;
              } catch (error) {
                if (!(error instanceof ProtocolError && error.recoverable)) throw error;
              }
            }
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
        // Each step but the last of a chunk takes at least one byte.
        expect(steps).toBeLessThanOrEqual(total + chunks.length);
      }),
      runs(300),
    );
  });

  it('text of whole characters survives being a byte string', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => fromByteString(toByteString(text)) === text));
  });
});
