import { packetRow, PacketParser, type Packet, type PacketParserOptions } from '../../../lib/protocol/index.js';

/** A packet as plain values, to compare with. */
export interface ParsedPacket {
  name: string;
  number: number;
  magic: 'REQ' | 'RES';
  args: string[];
}

/** Everything a parser finds in `chunks`: packets, and lines as strings. */
export function parseAll(chunks: Iterable<Buffer>, options?: PacketParserOptions): (ParsedPacket | string)[] {
  const parser = new PacketParser(options);
  const units: (ParsedPacket | string)[] = [];
  for (const chunk of chunks) {
    parser.push(chunk);
    for (let unit = parser.next(); unit !== undefined; unit = parser.next()) {
      units.push(typeof unit === 'string' ? unit : plain(unit));
    }
  }
  return units;
}

/** A packet's plain values; its arguments as byte strings. */
export function plain(packet: Packet): ParsedPacket {
  const args = packetRow(packet.type)!.arguments.map((_, index) => packet.byteString(index));
  return { name: packet.name, number: packet.type, magic: packet.isRequest ? 'REQ' : 'RES', args };
}

/** One chunk a byte. */
export function byteByByte(bytes: Buffer): Buffer[] {
  return Array.from(bytes, (byte) => Buffer.of(byte));
}
