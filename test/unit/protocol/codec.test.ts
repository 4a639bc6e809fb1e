import { describe, expect, it } from '@jest/globals';
import { encodePacket, PACKET_TABLE, packetRow, PacketType } from '../../../lib/protocol/index.js';
import { ODD_BODIES, RECORDED, ROWS, titleOf, type PacketFixture } from './packet-fixtures.js';
import { byteByByte, parseAll } from './parse.js';

function itTravels(fixture: PacketFixture): void {
  const { name, number, magic, args, bytes } = fixture;
  const parsed = { name, number, magic, args };

  describe(titleOf(fixture), () => {
    it('is decoded', () => expect(parseAll([bytes])).toEqual([parsed]));

    it('is encoded, from byte strings and from bytes', () => {
      expect(encodePacket(magic, number, args)).toEqual(bytes);
      const asBytes = args.map((argument) => Buffer.from(argument, 'latin1'));
      expect(encodePacket(magic, number, asBytes)).toEqual(bytes);
    });

    it('makes the round trip', () => expect(parseAll([encodePacket(magic, number, args)])).toEqual([parsed]));

    it('is decoded byte by byte', () => expect(parseAll(byteByByte(bytes))).toEqual([parsed]));
  });
}

describe('every row of the table', () => {
  ROWS.forEach(itTravels);

  it('has a fixture in each direction it travels', () => {
    const directions = PACKET_TABLE.flatMap(({ name, magic }) => magic.map((one) => `${one} ${name}`));
    const tested = ROWS.filter(({ name }) => name !== 'UNUSED').map(({ name, magic }) => `${magic} ${name}`);
    expect(tested).toEqual(directions);
    expect(new Set(ROWS.map(({ number }) => number)).size).toBe(42);
  });

  it('is found by its number and by its name', () => {
    for (const { number, name } of ROWS) {
      expect(packetRow(number)?.name).toBe(name);
      expect(PacketType[name as keyof typeof PacketType]).toBe(number);
    }
    expect([packetRow(0), packetRow(43)]).toEqual([undefined, undefined]);
  });
});

describe('odd bodies', () => ODD_BODIES.forEach(itTravels));

describe('recorded from gearmand', () => RECORDED.forEach(itTravels));
