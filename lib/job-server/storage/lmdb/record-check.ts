import { crc32 } from 'node:zlib';
import { RecordError } from './record-bytes.js';
import type { ValueCodec } from './record-codec.js';

/** A record that cannot be read, as it was found. */
export class Unreadable {
  constructor(
    readonly bytes: Buffer,
    readonly reason: string,
  ) {}
}

/**
 * What a checked record begins with: 0 as no record of format 1 writes it,
 * in two bytes. Behind it come four bytes of checksum, then the record.
 */
const MARK = 0x8000;
const HEADER_BYTES = 6;

/**
 * Lets records be checked: LMDB tells whether its pages hang together, not
 * whether their bytes are those that were written. What is not as it was
 * written is handed back as {@link Unreadable}.
 *
 * @param acceptsUnchecked whether there may be records of format 1, which have no checksum.
 */
export function checked<Value>(codec: ValueCodec<Value>, acceptsUnchecked: boolean): ValueCodec<Value | Unreadable> {
  return {
    encode(value) {
      if (value instanceof Unreadable) return value.bytes;
      const record = codec.encode(value);
      const bytes = Buffer.allocUnsafe(HEADER_BYTES + record.length);
      bytes.writeUInt16BE(MARK, 0);
      bytes.writeUInt32BE(crc32(record), 2);
      record.copy(bytes, HEADER_BYTES);
      return bytes;
    },
    decode(bytes) {
      try {
        return codec.decode(recordIn(bytes, acceptsUnchecked));
      } catch (error) {
        if (!(error instanceof RecordError)) throw error;
        return new Unreadable(Buffer.from(bytes.subarray(0, bytes.length)), error.message);
      }
    },
  };
}

function recordIn(bytes: Buffer, acceptsUnchecked: boolean): Buffer {
  if (bytes.length < HEADER_BYTES || bytes.readUInt16BE(0) !== MARK) {
    if (acceptsUnchecked) return bytes;
    throw new RecordError('it does not begin as a record does');
  }
  const record = bytes.subarray(HEADER_BYTES, bytes.length);
  if (crc32(record) !== bytes.readUInt32BE(2))
    throw new RecordError('its checksum is wrong: it is not as it was written');
  return record;
}
