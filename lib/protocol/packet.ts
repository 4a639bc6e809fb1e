import type { Argument, ByteString } from './byte-string.js';
import { MissingArgumentError } from './errors.js';
import { packetRow, type PacketName, type PacketType, LAST_PACKET_TYPE } from './packet-table.js';

/**
 * An argument up to this length is kept as a byte string: a Buffer has its memory outside of V8's heap, and that costs
 * more than copying (with 10 kB a byte string took 0.45 of the job server's CPU time for a job).
 */
const COMPACT_BYTES = 16 * 1024;

/** Bytes of a packet's header: magic, type and size, four each. */
export const HEADER_BYTES = 12;

/**
 * A packet as it arrived: a view on the received bytes, cut into arguments
 * only where someone asks for one.
 *
 * The views it returns stay valid as long as someone holds them. They keep the
 * whole chunk in memory, so whoever keeps a small argument for long uses
 * {@link byteString}, which is a copy.
 */
export class Packet {
  /** The offsets of the NULs that end the arguments before the last, and how many entries belong to this packet. */
  private separators = NO_SEPARATORS;
  private separatorCount = 0;

  /**
   * @throws MissingArgumentError when there are fewer separators than the type's arguments need.
   */
  constructor(
    private packetType: PacketType,
    private isToServer: boolean,
    private buffer: Buffer,
    private start: number,
    private end: number,
  ) {
    this.cut();
  }

  get type(): PacketType {
    return this.packetType;
  }

  /** True for `\0REQ`: the packet is meant for a job server. */
  get isRequest(): boolean {
    return this.isToServer;
  }

  /** The packet's name in PROTOCOL. */
  get name(): PacketName {
    return packetRow(this.type)!.name as PacketName;
  }

  /** How many bytes follow the header. */
  get bodyBytes(): number {
    return this.end - this.start;
  }

  /** Argument `index` as a view on the packet's bytes. */
  bytes(index: number): Buffer {
    return this.buffer.subarray(this.startOf(index), this.endOf(index));
  }

  /** Argument `index` as a byte string: one character a byte, a copy. */
  byteString(index: number): ByteString {
    const start = this.startOf(index);
    const end = this.endOf(index);
    return start === end ? '' : this.buffer.toString('latin1', start, end);
  }

  /** Whether argument `index` equals a byte string; cheaper than making a string of it. */
  is(index: number, text: ByteString): boolean {
    const { buffer } = this;
    const start = this.startOf(index);
    if (this.endOf(index) - start !== text.length) return false;
    for (let at = 0; at < text.length; at++) if (buffer[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }

  /**
   * Argument `index` in its cheapest form: a short one as a byte string, a long
   * one as a view. Making a view costs more than copying a short argument,
   * and a view keeps the whole chunk in memory.
   */
  compact(index: number): Argument {
    return this.lengthOf(index) <= COMPACT_BYTES ? this.byteString(index) : this.bytes(index);
  }

  /** Argument `index` decoded as UTF-8. */
  text(index: number): string {
    return this.buffer.toString('utf8', this.startOf(index), this.endOf(index));
  }

  /** How long argument `index` is, in bytes. */
  lengthOf(index: number): number {
    return this.endOf(index) - this.startOf(index);
  }

  /** Makes this object represent another packet. */
  protected become(type: PacketType, isRequest: boolean, buffer: Buffer, start: number, end: number): void {
    this.packetType = type;
    this.isToServer = isRequest;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.cut();
  }

  private startOf(index: number): number {
    return index === 0 ? this.start : Math.min(this.separators[index - 1]! + 1, this.end);
  }

  private endOf(index: number): number {
    return index < this.separatorCount ? this.separators[index]! : this.end;
  }

  private cut(): void {
    const count = Math.max(ARGUMENT_COUNTS[this.packetType]! - 1, 0);
    this.separatorCount = count;
    if (count > 0) this.findSeparators(count);
  }

  private findSeparators(count: number): void {
    const { buffer, end } = this;
    // Made with its full length, because a growing array reserves room for many at the first number.
    if (this.separators.length < count) this.separators = new Array<number>(count);
    const { separators } = this;
    let found = 0;
    for (let at = this.start; at < end; at++) {
      // A loop, not indexOf: names are short, and a call into C++ costs more than they do.
      if (buffer[at] !== 0) continue;
      separators[found++] = at;
      if (found === count) return;
    }
    const row = packetRow(this.packetType)!;
    // Perl's Gearman::Worker leaves out an empty result together with the NUL before it.
    if (found !== count - 1 || !EMPTY_IF_MISSING.has(row.name)) {
      throw new MissingArgumentError(row.name, row.arguments[found + 1]!);
    }
    separators[found] = end;
  }
}

/**
 * A packet in bytes that are overwritten when its listener returns. Until then it can be read; what {@link bytes} returns
 * is a copy. The object itself is used again for the next packet, because a busy job server would make some hundred
 * thousand of them a second.
 */
export class SharedPacket extends Packet {
  override bytes(index: number): Buffer {
    return Buffer.from(super.bytes(index));
  }

  override become(type: PacketType, isRequest: boolean, buffer: Buffer, start: number, end: number): void {
    super.become(type, isRequest, buffer, start, end);
  }
}

const NO_SEPARATORS: number[] = [];

/** Packets whose last argument may be missing and is empty then. */
const EMPTY_IF_MISSING: ReadonlySet<string> = new Set(['WORK_COMPLETE', 'WORK_DATA', 'WORK_WARNING', 'WORK_EXCEPTION']);

const ARGUMENT_COUNTS = Array.from(
  { length: LAST_PACKET_TYPE + 1 },
  (_, number) => packetRow(number)?.arguments.length ?? 0,
);
