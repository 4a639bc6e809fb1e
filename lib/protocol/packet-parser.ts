import { BadMagicError, LineTooLongError, PacketTooLargeError, UnknownPacketTypeError } from './errors.js';
import { HEADER_BYTES, Packet, SharedPacket } from './packet.js';
import { LAST_PACKET_TYPE, PacketType } from './packet-table.js';

/** The default of `maxPacketBytes`: 64 MiB. */
export const DEFAULT_MAX_PACKET_BYTES = 64 * 1024 * 1024;

/** How long an admin command may be, in bytes. */
export const MAX_LINE_BYTES = 8192;

/** The options of a {@link PacketParser}. */
export interface PacketParserOptions {
  /**
   * The largest packet accepted, header included. Bytes, default 64 MiB. A job
   * that a worker is given may have 128 more, for what the job server adds to it.
   */
  maxPacketBytes?: number;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
/** Control characters that may begin a line: tab, line feed, carriage return. */
const LINE_SPACE = [0x09, 0x0a, 0x0d];
/** The packets in which a worker is given a job: what its client sent, and beside it the handle, of 63 bytes at most. */
const ASSIGNMENTS: readonly number[] = [PacketType.JOB_ASSIGN, PacketType.JOB_ASSIGN_UNIQ, PacketType.JOB_ASSIGN_ALL];
const BESIDE_AN_ASSIGNED_JOB = 128;
/** By what an unfinished packet's buffer grows: each time its bytes are copied, so not by little. */
const GROWTH = 4;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into packets, and into admin lines where a line
 * stands at a place a packet could start (PROTOCOL: what starts with NUL is
 * binary, anything else is text; other control characters begin neither).
 *
 * Chunks are never copied but for a packet that spans several: only that one
 * is gathered, in a buffer that grows with what has arrived and not with what
 * its header announces.
 *
 * ```ts
 * parser.push(chunk);
 * for (let unit = parser.next(); unit !== undefined; unit = parser.next()) ...
 * ```
 */
export class PacketParser {
  private readonly maxPacketBytes: number;
  /** The chunk being read, where its bytes end, and how far they were read. */
  private chunk = EMPTY;
  private limit = 0;
  private offset = 0;
  /** The chunk is overwritten once it was read. */
  private isShared = false;
  /** The last packet out of such a chunk; made at the first. */
  private sharedPacket: SharedPacket | undefined;
  /** The unfinished packet or line at the end of the chunks before. */
  private tail = EMPTY;
  private tailBytes = 0;

  constructor({ maxPacketBytes = DEFAULT_MAX_PACKET_BYTES }: PacketParserOptions = {}) {
    this.maxPacketBytes = maxPacketBytes;
  }

  /** True while an unfinished packet or line waits for its rest. */
  get isPartial(): boolean {
    return this.tailBytes > 0;
  }

  /** Gives the parser the next bytes. Everything before them must have been taken by {@link next}. */
  push(chunk: Buffer): void {
    this.chunk = chunk;
    this.limit = chunk.length;
    this.offset = 0;
    this.isShared = false;
  }

  /**
   * As {@link push}, with the first bytes of a buffer that is overwritten once
   * {@link keepRest} was called. A packet out of it is over when {@link next} is
   * called again: its object is that of the next one.
   */
  pushShared(buffer: Buffer, bytes: number): void {
    this.push(buffer);
    this.limit = bytes;
    this.isShared = true;
  }

  /** Copies what was not taken of shared bytes. */
  keepRest(): void {
    if (this.isShared && this.offset < this.limit) this.push(Buffer.from(this.chunk.subarray(this.offset, this.limit)));
    else if (this.isShared) this.finish();
  }

  /**
   * The next packet or admin line (a string, without its line end), or undefined when the chunk is used up.
   *
   * @throws ProtocolError. After a recoverable one the next call goes on behind the bad packet.
   */
  next(): Packet | string | undefined {
    return this.tailBytes > 0 ? this.nextFromTail() : this.nextFromChunk();
  }

  private nextFromChunk(): Packet | string | undefined {
    const { chunk, offset } = this;
    const available = this.limit - offset;
    if (available === 0) return this.finish();
    const first = chunk[offset]!;
    if (first !== 0) {
      if (first < SPACE && !LINE_SPACE.includes(first)) throw new BadMagicError(startOf(chunk, offset));
      const end = this.lineEnd();
      if (end < 0) return this.keep(available > MAX_LINE_BYTES ? tooLong() : available);
      this.offset = end + 1;
      return lineOf(chunk, offset, end);
    }
    if (available < HEADER_BYTES) return this.keep(available);
    const size = this.sizeOf(chunk, offset);
    if (available < size) return this.keep(available);
    this.offset = offset + size;
    return this.packetIn(chunk, offset, size, this.isShared);
  }

  private nextFromTail(): Packet | string | undefined {
    if (this.tail[0] !== 0) return this.lineFromTail();
    if (this.tailBytes < HEADER_BYTES && !this.gather(HEADER_BYTES)) return this.finish();
    const size = this.sizeOf(this.tail, 0);
    if (!this.gather(size)) return this.finish();
    const packet = this.tail;
    this.tailBytes = 0;
    this.tail = EMPTY;
    return this.packetIn(packet, 0, size, false);
  }

  private lineFromTail(): string | undefined {
    const end = this.lineEnd();
    const bytes = end < 0 ? this.limit - this.offset : end + 1 - this.offset;
    if (this.tailBytes + bytes > MAX_LINE_BYTES) tooLong();
    this.gather(this.tailBytes + bytes);
    if (end < 0) return this.finish();
    const line = lineOf(this.tail, 0, this.tailBytes - 1);
    this.tailBytes = 0;
    this.tail = EMPTY;
    return line;
  }

  /** Where the chunk's next line ends, or -1. */
  private lineEnd(): number {
    const end = this.chunk.indexOf(NEWLINE, this.offset);
    return end < this.limit ? end : -1;
  }

  private packetIn(buffer: Buffer, start: number, size: number, isShared: boolean): Packet {
    const type = buffer[start + 7] as PacketType;
    const isRequest = buffer[start + 3] === 0x51;
    const from = start + HEADER_BYTES;
    const to = start + size;
    if (!isShared) return new Packet(type, isRequest, buffer, from, to);
    if (this.sharedPacket) this.sharedPacket.become(type, isRequest, buffer, from, to);
    else this.sharedPacket = new SharedPacket(type, isRequest, buffer, from, to);
    return this.sharedPacket;
  }

  /** Reads a header's type and size; `size` includes the header. */
  private sizeOf(buffer: Buffer, offset: number): number {
    // Byte by byte: it is done for every packet, and a call of `readUInt32BE` costs as much as all of it.
    if (!isMagic(buffer, offset)) throw new BadMagicError(startOf(buffer, offset));
    const type = buffer[offset + 7]!;
    const isKnown = (buffer[offset + 4]! | buffer[offset + 5]! | buffer[offset + 6]!) === 0 && type <= LAST_PACKET_TYPE;
    if (!isKnown || type === 0) throw new UnknownPacketTypeError(buffer.readUInt32BE(offset + 4));
    const body = (buffer[offset + 8]! << 24) | (buffer[offset + 9]! << 16) | (buffer[offset + 10]! << 8);
    const size = HEADER_BYTES + ((body | buffer[offset + 11]!) >>> 0);
    if (size > this.maxPacketBytes && !this.isAssignable(type, size))
      throw new PacketTooLargeError(size, this.maxPacketBytes);
    return size;
  }

  /** Otherwise a job that its client could just send would be refused by one worker after the other. */
  private isAssignable(type: number, size: number): boolean {
    return ASSIGNMENTS.includes(type) && size <= this.maxPacketBytes + BESIDE_AN_ASSIGNED_JOB;
  }

  /** Moves the rest of the chunk, an unfinished packet or line, into a tail of its own. */
  private keep(bytes: number): undefined {
    this.tail = Buffer.allocUnsafe(Math.max(bytes, HEADER_BYTES));
    this.chunk.copy(this.tail, 0, this.offset, this.limit);
    this.tailBytes = bytes;
    return this.finish();
  }

  /** Lets go of the chunk: what is kept of it are the packets' own views. */
  private finish(): undefined {
    this.chunk = EMPTY;
    this.limit = this.offset = 0;
    this.isShared = false;
    return undefined;
  }

  /** Fills the tail up to `size` bytes from the chunk; false while the chunk has too few. */
  private gather(size: number): boolean {
    const bytes = Math.min(size - this.tailBytes, this.limit - this.offset);
    const needed = this.tailBytes + bytes;
    if (needed > this.tail.length) {
      const grown = Buffer.allocUnsafe(Math.min(size, Math.max(needed, this.tail.length * GROWTH)));
      this.tail.copy(grown, 0, 0, this.tailBytes);
      this.tail = grown;
    }
    this.chunk.copy(this.tail, this.tailBytes, this.offset, this.offset + bytes);
    this.tailBytes += bytes;
    this.offset += bytes;
    return this.tailBytes >= size;
  }
}

/** Whether `\0REQ` or `\0RES` stands there. */
function isMagic(buffer: Buffer, offset: number): boolean {
  const last = buffer[offset + 3];
  return (
    buffer[offset] === 0 &&
    buffer[offset + 1] === 0x52 &&
    buffer[offset + 2] === 0x45 &&
    (last === 0x51 || last === 0x53)
  );
}

function lineOf(buffer: Buffer, start: number, end: number): string {
  const stop = end > start && buffer[end - 1] === 0x0d ? end - 1 : end;
  return buffer.toString('latin1', start, stop);
}

/** The first bytes of what is no packet, for its error. */
function startOf(buffer: Buffer, offset: number): Buffer {
  return Buffer.from(buffer.subarray(offset, offset + 4));
}

function tooLong(): never {
  throw new LineTooLongError(MAX_LINE_BYTES);
}
