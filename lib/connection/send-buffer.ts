import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import {
  encodedBytes,
  encodeInto,
  HEADER_BYTES,
  type Argument,
  type Magic,
  type PacketType,
} from '../protocol/index.js';
import { SEGMENT_BYTES, type Outbox } from './outbox.js';

/** Bytes of this size or more are handed to the stream as they are, not copied behind their header. */
const COPY_LIMIT_BYTES = 32 * 1024;

/**
 * What a connection is about to send. Each packet is encoded when it is added;
 * packets gather in a buffer of the {@link Outbox} and leave in one write.
 *
 *
 *   +--parts: full buffers, large arguments--+ +--segment, filled up to `used`--+
 */
export class SendBuffer {
  /** How much waits here, in bytes. */
  bytes = 0;
  /** How many packets were added since it was last empty. */
  packets = 0;
  private segment: Buffer | undefined;
  private used = 0;
  private parts: Buffer[] = [];
  /** Those buffers of the outbox that became parts as a whole. */
  private filled: Buffer[] = [];
  /**
   * Whether the buffers can be used again when the stream has nothing left to
   * write: a socket has given the bytes to the kernel by then. Other streams pass
   * the buffer itself on to somebody.
   */
  private readonly isDoneOnceEmpty: boolean;

  constructor(
    private readonly stream: Duplex,
    private readonly magic: Magic,
    private readonly outbox: Outbox,
  ) {
    this.isDoneOnceEmpty = stream instanceof Socket && !(stream instanceof TLSSocket);
  }

  /** Encodes a packet behind what waits. */
  add(type: PacketType, args: readonly Argument[]): void {
    const bytes = encodedBytes(args);
    this.bytes += bytes;
    this.packets++;
    const last = args[args.length - 1];
    if (last !== undefined && typeof last !== 'string' && last.length >= COPY_LIMIT_BYTES) {
      this.addLarge(type, args, last, bytes);
    } else if (bytes <= SEGMENT_BYTES) {
      this.used = encodeInto(this.roomFor(bytes), this.used, this.magic, type, args);
    } else {
      const packet = Buffer.allocUnsafe(bytes);
      encodeInto(packet, 0, this.magic, type, args);
      this.addPart(packet);
    }
  }

  /** Adds bytes as they are. */
  addBytes(bytes: Buffer): void {
    this.bytes += bytes.length;
    if (bytes.length > SEGMENT_BYTES) {
      this.addPart(bytes);
      return;
    }
    this.roomFor(bytes.length).set(bytes, this.used);
    this.used += bytes.length;
  }

  /** Hands everything to the stream as one write. */
  flush(): void {
    const { stream, segment, used } = this;
    if (segment && this.parts.length === 0 && this.isDoneOnceEmpty && stream.writableLength === 0) {
      this.bytes = this.used = this.packets = 0;
      this.segment = undefined;
      stream.write(segment.subarray(0, used));
      if (stream.writableLength === 0) this.outbox.giveBack(segment);
      return;
    }
    this.seal();
    const { parts, filled } = this;
    this.drop();
    stream.cork();
    for (const part of parts) stream.write(part);
    stream.uncork();
    // The stream writes in order: when it has nothing left, it is done with these buffers too.
    if (!this.isDoneOnceEmpty || stream.writableLength > 0) return;
    for (const one of filled) this.outbox.giveBack(one);
  }

  /** Forgets what waits. */
  drop(): void {
    if (this.segment) this.outbox.giveBack(this.segment);
    this.segment = undefined;
    this.parts = [];
    this.filled = [];
    this.bytes = this.used = this.packets = 0;
  }

  /** The segment, with room for so many bytes behind `used`. */
  private roomFor(bytes: number): Buffer {
    if (this.segment && SEGMENT_BYTES - this.used < bytes) this.seal();
    return (this.segment ??= this.outbox.takeSegment());
  }

  private addLarge(type: PacketType, args: readonly Argument[], last: Uint8Array, bytes: number): void {
    const head = Buffer.allocUnsafe(bytes - last.length);
    encodeInto(head, 0, this.magic, type, [...args.slice(0, -1), '']);
    head.writeUInt32BE(bytes - HEADER_BYTES, 8);
    this.addPart(head);
    this.parts.push(Buffer.from(last.buffer, last.byteOffset, last.length));
  }

  private addPart(part: Buffer): void {
    this.seal();
    this.parts.push(part);
  }

  /** Turns the segment's content into a part: a copy if it is little, or else the segment itself. */
  private seal(): void {
    const { segment, used } = this;
    if (!segment || used === 0) return;
    const filled = segment.subarray(0, used);
    this.used = 0;
    if (used < SEGMENT_BYTES / 2) {
      this.parts.push(Buffer.from(filled));
    } else {
      this.parts.push(filled);
      this.filled.push(segment);
      this.segment = undefined;
    }
  }
}
