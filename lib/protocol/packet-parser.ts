import { BadMagicError, LineTooLongError, PacketTooLargeError, UnknownPacketTypeError } from './errors.js';
import { HEADER_BYTES, Packet, SharedPacket } from './packet.js';
import { LAST_PACKET_TYPE, PacketType } from './packet-table.js';

/** The default of `maxPacketBytes`: 64 MiB. */
export const DEFAULT_MAX_PACKET_BYTES = 64 * 1024 * 1024;

/** How long an admin command may be, with its line end, in bytes. */
export const MAX_LINE_BYTES = 8192;

/** The options of a {@link PacketParser}. */
export interface PacketParserOptions {
  /**
   * The largest packet accepted, header included. Bytes, default 64 MiB. The packet
   * that gives a job to a worker may be 128 bytes longer, for what the job server adds.
   */
  maxPacketBytes?: number;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;
/** Control characters that may begin a line: tab, line feed, carriage return. */
const LINE_SPACE = [0x09, 0x0a, 0x0d];
/** The packets that give a job to a worker: what its client sent, and in addition the handle, of 63 bytes at most. */
const ASSIGNMENTS: readonly number[] = [PacketType.JOB_ASSIGN, PacketType.JOB_ASSIGN_UNIQ, PacketType.JOB_ASSIGN_ALL];
const BESIDE_AN_ASSIGNED_JOB = 128;
/** The factor by which the buffer of an unfinished packet grows: each growth copies it, so it must not grow often. */
const GROWTH = 4;
const EMPTY: Buffer = Buffer.alloc(0);

/**
 * Cuts a stream of bytes into packets and admin lines. Where a packet could
 * start, NUL begins a packet and anything else a line (PROTOCOL); control
 * characters other than those of {@link LINE_SPACE} begin neither.
 *
 * Chunks are not copied, except for a packet that spans several of them: it
 * is gathered in a buffer that grows with the bytes that have arrived, not with
 * the size that its header announces.
 *
 * ```ts
 * parser.push(chunk);
 * for (let unit = parser.next(); unit !== undefined; unit = parser.next()) ...
 * ```
 */
export class PacketParser {
  private readonly maxPacketBytes: number;
  /** The chunk being read, where its bytes end, and the position of the next byte to read. */
  private chunk = EMPTY;
  private limit = 0;
  private offset = 0;
  /** The chunk is overwritten after it was read. */
  private isShared = false;
  /** The one packet object for all such chunks; made when it is first needed. */
  private sharedPacket: SharedPacket | undefined;
  /** The unfinished packet or line from the chunks before, and how many bytes of it have come. */
  private tail = EMPTY;
  private tailBytes = 0;

  constructor({ maxPacketBytes = DEFAULT_MAX_PACKET_BYTES }: PacketParserOptions = {}) {
    this.maxPacketBytes = maxPacketBytes;
  }

  /** True while an unfinished packet or line waits for its rest. */
  get isPartial(): boolean {
    return this.tailBytes > 0;
  }

  /** Gives the parser the next bytes. The caller must have read everything before them with {@link next}. */
  push(chunk: Buffer): void {
    this.chunk = chunk;
    this.limit = chunk.length;
    this.offset = 0;
    this.isShared = false;
  }

  /**
   * As {@link push}, for the first bytes of a buffer that is overwritten after
   * {@link keepRest} was called. Each packet out of it is valid until the next call
   * of {@link next}, which uses the same object again.
   */
  pushShared(buffer: Buffer, bytes: number): void {
    this.push(buffer);
    this.limit = bytes;
    this.isShared = true;
  }

  /** Copies those of the shared bytes that were not read yet. */
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
      if ((end < 0 ? available : end + 1 - offset) > MAX_LINE_BYTES) tooLong();
      if (end < 0) return this.keep(available);
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
    // Byte by byte: this runs for every packet, and one call of `readUInt32BE` costs as much as all of it.
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

  /** Without this, a job that its client could just send would be refused by one worker after the other. */
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

  /** Releases the chunk; packets that views were taken from keep its memory. */
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

/** The first bytes where no packet begins, for the error. */
function startOf(buffer: Buffer, offset: number): Buffer {
  return Buffer.from(buffer.subarray(offset, offset + 4));
}

function tooLong(): never {
  throw new LineTooLongError(MAX_LINE_BYTES);
}
