import { describe, expect, it } from '@jest/globals';
import {
  BadMagicError,
  LineTooLongError,
  MAX_LINE_BYTES,
  MissingArgumentError,
  type Packet,
  PacketParser,
  PacketTooLargeError,
  type ProtocolError,
  UnknownPacketTypeError,
} from '../../../lib/protocol/index.js';
import { packetBytes, rawPacket } from '../../support/wire.js';
import { byteByByte, parseAll, plain } from './parse.js';

const NOOP = packetBytes('NOOP', 'RES');

function errorOf(bytes: Buffer, maxPacketBytes?: number): ProtocolError {
  try {
    parseAll([bytes], { maxPacketBytes });
  } catch (error) {
    return error as ProtocolError;
  }
  throw new Error('the parser took it');
}

describe('PacketParser', () => {
  it('finds several packets in one chunk, and lines between them', () => {
    const chunk = Buffer.concat([NOOP, Buffer.from('status\r\nworkers\n\n'), packetBytes('ECHO_REQ a\nb')]);
    const expected = [
      { name: 'NOOP', number: 6, magic: 'RES', args: [] },
      'status',
      'workers',
      '',
      { name: 'ECHO_REQ', number: 16, magic: 'REQ', args: ['a\nb'] },
    ];
    expect(parseAll([chunk])).toEqual(expected);
    expect(parseAll(byteByByte(chunk))).toEqual(expected);
  });

  it('keeps a carriage return that does not end the line', () => {
    expect(parseAll([Buffer.from('a\rb\r\r\n')])).toEqual(['a\rb\r']);
  });

  it('says whether it holds half a packet', () => {
    const parser = new PacketParser();
    expect(parser.isPartial).toBe(false);
    parser.push(NOOP.subarray(0, 5));
    expect(parser.next()).toBeUndefined();
    expect(parser.isPartial).toBe(true);
    parser.push(NOOP.subarray(5));
    expect(parser.next()).toMatchObject({ type: 6 });
    expect([parser.next(), parser.isPartial]).toEqual([undefined, false]);
  });

  it('hands out views that stay valid when more arrives', () => {
    const parser = new PacketParser();
    const bytes = packetBytes('WORK_DATA h·first');
    parser.push(bytes.subarray(0, 18));
    expect(parser.next()).toBeUndefined();
    parser.push(bytes.subarray(18));
    const view = (parser.next() as { bytes(index: number): Buffer }).bytes(1);
    parseAll([packetBytes('WORK_DATA h·other')]);
    parser.push(packetBytes('WORK_DATA h·third'));
    parser.next();
    expect(view.toString()).toBe('first');
  });

  it('copies nothing of a packet that came in one chunk', () => {
    const chunk = Buffer.concat([NOOP, packetBytes('WORK_DATA h·view')]);
    const parser = new PacketParser();
    parser.push(chunk);
    parser.next();
    const { buffer, byteOffset } = (parser.next() as { bytes(index: number): Buffer }).bytes(1);
    expect(buffer).toBe(chunk.buffer);
    expect(byteOffset - chunk.byteOffset).toBe(chunk.length - 4);
  });

  it('gives arguments as bytes, byte strings, text and lengths', () => {
    const parser = new PacketParser();
    parser.push(rawPacket('\0REQ', 7, Buffer.from('f\0é\0\xff', 'utf8')));
    const packet = parser.next() as Exclude<ReturnType<typeof parser.next>, string | undefined>;
    expect(packet.text(1)).toBe('é');
    expect(packet.byteString(1)).toBe('\xc3\xa9');
    expect(packet.bytes(1)).toEqual(Buffer.from([0xc3, 0xa9]));
    expect([packet.lengthOf(0), packet.lengthOf(1), packet.lengthOf(2), packet.bodyBytes]).toEqual([1, 2, 2, 7]);
    expect(plain(packet).args).toEqual(['f', '\xc3\xa9', '\xc3\xbf']);
  });
});

describe('what is not the protocol', () => {
  it.each(['\0RAQ', '\0REX', '\0\0\0\0', '\0req'])('a magic %j is an error', (magic) => {
    const error = errorOf(rawPacket(magic, 1, 'f'));
    expect(error).toBeInstanceOf(BadMagicError);
    expect(error).toMatchObject({ code: 'GEARMAN_BAD_MAGIC', recoverable: false, magic: Buffer.from(magic, 'latin1') });
  });

  it.each([
    ['a TLS hello', '\x16\x03\x01\x02\x00\x01', 'TLS'],
    ['a TLS alert', '\x15\x03\x03\x00', 'TLS'],
    ['a control character', '\x01abc', '01616263'],
  ])('%s is neither a packet nor a line', (_what, bytes, message) => {
    for (const chunks of [[Buffer.from(bytes, 'latin1')], byteByByte(Buffer.from(bytes, 'latin1'))]) {
      expect(() => parseAll(chunks)).toThrow(BadMagicError);
    }
    expect(errorOf(Buffer.from(bytes, 'latin1')).message).toContain(message);
  });

  it.each(['\t', '\r\n', '\n', '\xc3\xa9t\xc3\xa9\n'])('%j may begin a line', (text) => {
    expect(parseAll([Buffer.from(`${text}x\n`, 'latin1')]).at(-1)).toContain('x');
  });

  it.each([0, 43, 255, 256, 0x01000000, 0xffffffff])('packet type %i is an error', (type) => {
    const error = errorOf(rawPacket('\0REQ', type, ''));
    expect(error).toBeInstanceOf(UnknownPacketTypeError);
    expect(error).toMatchObject({ code: 'GEARMAN_UNKNOWN_PACKET_TYPE', recoverable: false, type });
  });

  it('a packet of 4 GiB is an error as soon as its header is there', () => {
    const error = errorOf(rawPacket('\0REQ', 7, '', 0xffffffff));
    expect(error).toBeInstanceOf(PacketTooLargeError);
    expect(error).toMatchObject({ code: 'GEARMAN_PACKET_TOO_LARGE', recoverable: false, bytes: 0x10000000b });
    expect(error.message).toContain('maxPacketBytes (67108864)');
  });

  it('maxPacketBytes counts the header and is the largest size that passes', () => {
    expect(parseAll([packetBytes('ECHO_REQ abcd')], { maxPacketBytes: 16 })).toHaveLength(1);
    expect(errorOf(packetBytes('ECHO_REQ abcde'), 16)).toMatchObject({ bytes: 17, maxPacketBytes: 16 });
  });

  it('a job that a worker is given may have 128 bytes more, as its handle stands beside what its client sent', () => {
    for (const type of ['JOB_ASSIGN h·f', 'JOB_ASSIGN_UNIQ h·f·u', 'JOB_ASSIGN_ALL h·f·u·r']) {
      const bytes = packetBytes(`${type}·${'x'.repeat(200)}`, 'RES');
      expect(parseAll([bytes], { maxPacketBytes: bytes.length - 128 })).toHaveLength(1);
      expect(errorOf(bytes, bytes.length - 129)).toMatchObject({ maxPacketBytes: bytes.length - 129 });
    }
  });

  it.each([
    ['CAN_DO_TIMEOUT reverse', 'CAN_DO_TIMEOUT', 'timeout'],
    ['SUBMIT_JOB', 'SUBMIT_JOB', 'unique'],
    ['SUBMIT_JOB reverse·u', 'SUBMIT_JOB', 'workload'],
    ['WORK_STATUS h·1', 'WORK_STATUS', 'denominator'],
    ['SUBMIT_REDUCE_JOB f·u·r', 'SUBMIT_REDUCE_JOB', 'workload'],
  ])('%s lacks an argument, and the stream goes on behind it', (notation, packet, argument) => {
    const bytes = packetBytes(notation);
    for (const chunks of [[Buffer.concat([bytes, NOOP])], byteByByte(Buffer.concat([bytes, NOOP]))]) {
      const parser = new PacketParser();
      const units: unknown[] = [];
      for (const chunk of chunks) {
        parser.push(chunk);
        for (;;) {
          try {
            const unit = parser.next();
            if (unit === undefined) break;
            units.push((unit as { name: string }).name);
          } catch (error) {
            units.push(error);
          }
        }
      }
      expect(units).toEqual([expect.any(MissingArgumentError), 'NOOP']);
      expect(units[0]).toMatchObject({ code: 'GEARMAN_MISSING_ARGUMENT', recoverable: true, packet, argument });
    }
  });

  it.each(['WORK_COMPLETE', 'WORK_DATA', 'WORK_WARNING', 'WORK_EXCEPTION'])(
    '%s with nothing behind the handle has an empty body',
    (name) => {
      const bytes = Buffer.concat([packetBytes(`${name} H:lap:1`), NOOP]);
      const expected = [
        expect.objectContaining({ name, args: ['H:lap:1', ''] }),
        expect.objectContaining({ name: 'NOOP' }),
      ];
      expect(parseAll([bytes])).toEqual(expected);
      expect(parseAll(byteByByte(bytes))).toEqual(expected);
      const parser = new PacketParser();
      parser.push(bytes);
      const packet = parser.next() as Exclude<ReturnType<typeof parser.next>, string | undefined>;
      expect([packet.lengthOf(0), packet.lengthOf(1), packet.bytes(1).length, packet.compact(1)]).toEqual([
        7,
        0,
        0,
        '',
      ]);
    },
  );

  it('tells whether an argument is a byte string', () => {
    const parser = new PacketParser();
    parser.push(packetBytes('SUBMIT_JOB f\xffo··w'));
    const packet = parser.next() as Exclude<ReturnType<typeof parser.next>, string | undefined>;
    expect(['f\xffo', 'f\xff', 'f\xffoo', 'f\xffx', ''].map((text) => packet.is(0, text))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect([packet.is(1, ''), packet.is(2, 'w'), packet.is(2, '')]).toEqual([true, true, false]);
  });

  it('a line without end is an error, in one chunk or in many', () => {
    const line = Buffer.alloc(MAX_LINE_BYTES + 1, 'x');
    expect(errorOf(line)).toBeInstanceOf(LineTooLongError);
    expect(() => parseAll(byteByByte(line))).toThrow(LineTooLongError);
  });

  it('a line that is too long is an error also where its end comes in the same chunk', () => {
    const longest = `${'x'.repeat(MAX_LINE_BYTES - 1)}\n`;
    expect(parseAll([Buffer.from(longest)])).toEqual([longest.trimEnd()]);
    expect(errorOf(Buffer.from(`x${longest}`))).toBeInstanceOf(LineTooLongError);
  });
});

describe('a buffer that is read into again and again', () => {
  /** What has come lies at the beginning, what came before behind it. */
  function shared(now: Buffer, before: Buffer): [Buffer, number] {
    return [Buffer.concat([now, before]), now.length];
  }

  it('is read as far as something came', () => {
    const parser = new PacketParser();
    const echo = packetBytes('ECHO_REQ hi');
    parser.pushShared(...shared(echo, packetBytes('ECHO_REQ no')));
    expect((parser.next() as Packet).byteString(0)).toBe('hi');
    expect(parser.next()).toBeUndefined();
    parser.pushShared(...shared(Buffer.from('stat'), Buffer.from('us old\n')));
    expect(parser.next()).toBeUndefined();
    parser.pushShared(...shared(Buffer.from('us'), Buffer.from(' old\n')));
    expect(parser.next()).toBeUndefined();
    parser.pushShared(...shared(Buffer.from('\n'), Buffer.from('old\n')));
    expect(parser.next()).toBe('status');
    expect(parser.next()).toBeUndefined();
  });
});

describe('a packet in very many chunks', () => {
  /** Bytes the parser copied while it took a packet of `size` bytes in chunks of `chunkBytes`. */
  function copiedBytes(size: number, chunkBytes: number): number {
    const bytes = rawPacket('\0REQ', 16, Buffer.alloc(size - 12));
    const original = Buffer.prototype.copy;
    let copied = 0;
    Buffer.prototype.copy = function copy(this: Buffer, ...args: Parameters<typeof original>): number {
      const count = original.apply(this, args);
      copied += count;
      return count;
    };
    try {
      const parser = new PacketParser();
      for (let at = 0; at < size; at += chunkBytes) {
        parser.push(bytes.subarray(at, at + chunkBytes));
        parser.next();
      }
    } finally {
      Buffer.prototype.copy = original;
    }
    return copied;
  }

  it('costs copies in proportion to its size, not to its size times its chunks', () => {
    expect(copiedBytes(1 << 20, 100)).toBeLessThan(4 * (1 << 20));
    expect(copiedBytes(1 << 17, 1)).toBeLessThan(4 * (1 << 17));
  });

  it('takes memory for what has arrived, not for what its header announces', () => {
    const original = Buffer.allocUnsafe;
    let largest = 0;
    Buffer.allocUnsafe = (size: number) => {
      largest = Math.max(largest, size);
      return original(size);
    };
    try {
      const parser = new PacketParser();
      parser.push(rawPacket('\0REQ', 16, Buffer.alloc(1000), 60 * 1024 * 1024));
      expect(parser.next()).toBeUndefined();
      parser.push(Buffer.alloc(10_000));
      expect(parser.next()).toBeUndefined();
    } finally {
      Buffer.allocUnsafe = original;
    }
    expect(largest).toBeLessThan(2 * (1012 + 10_000));
  });
});
