import type { Argument, ByteString } from './byte-string.js';
import { InvalidArgumentError, MissingArgumentError, UnknownPacketTypeError } from './errors.js';
import { HEADER_BYTES } from './packet.js';
import { packetRow, type Magic } from './packet-table.js';

/** The last letters of the two magics, `\0REQ` and `\0RES`. */
const Q = 0x51;
const S = 0x53;
/** Up to this length a loop writes a string faster than a call into C++ does (measured: 1.7 ns a byte against 85 ns a call). */
const LOOP_LENGTH = 40;
const BEYOND_A_BYTE = /[^\u0000-\u00ff]/;

/**
 * One packet as bytes: `\0REQ` or `\0RES`, type, size, arguments.
 *
 * Strings are byte strings; text goes through `toByteString` first.
 *
 * @throws MissingArgumentError, InvalidArgumentError, UnknownPacketTypeError for a packet that no parser could read.
 */
export function encodePacket(magic: Magic, type: number, args: readonly Argument[]): Buffer {
  checkArguments(type, args);
  const packet = Buffer.allocUnsafe(encodedBytes(args));
  encodeInto(packet, 0, magic, type, args);
  return packet;
}

/** How many bytes a packet with these arguments has. */
export function encodedBytes(args: readonly Argument[]): number {
  let bytes = HEADER_BYTES;
  for (let index = 0; index < args.length; index++) bytes += args[index]!.length;
  return args.length > 1 ? bytes + args.length - 1 : bytes;
}

/** How many bytes the packet has that submits this job; for a job that no packet submitted, how many it would have. */
export function submissionBytes(job: {
  readonly function: ByteString;
  readonly unique: ByteString;
  readonly reducer?: ByteString | undefined;
  readonly workload: Argument;
}): number {
  const bytes = HEADER_BYTES + job.function.length + 1 + job.unique.length + 1 + job.workload.length;
  return job.reducer ? bytes + job.reducer.length + 1 : bytes;
}

/**
 * Writes a packet into `target` at `offset` and returns where it ends. It checks
 * nothing: the caller knows that no argument but the last contains a NUL, and
 * that `target` has room for {@link encodedBytes}.
 */
export function encodeInto(
  target: Buffer,
  offset: number,
  magic: Magic,
  type: number,
  args: readonly Argument[],
): number {
  const start = offset;
  offset += HEADER_BYTES;
  for (let index = 0; index < args.length; index++) {
    if (index > 0) target[offset++] = 0;
    const argument = args[index]!;
    if (typeof argument !== 'string') target.set(argument, offset);
    else if (argument.length > LOOP_LENGTH) target.write(argument, offset, 'latin1');
    else for (let at = 0; at < argument.length; at++) target[offset + at] = argument.charCodeAt(at);
    offset += argument.length;
  }
  // Byte by byte: one call of `writeUInt32BE` costs as much as these twelve assignments.
  const bytes = offset - start - HEADER_BYTES;
  target[start] = 0;
  target[start + 1] = 0x52;
  target[start + 2] = 0x45;
  target[start + 3] = magic === 'REQ' ? Q : S;
  target[start + 4] = target[start + 5] = target[start + 6] = 0;
  target[start + 7] = type;
  target[start + 8] = bytes >>> 24;
  target[start + 9] = bytes >>> 16;
  target[start + 10] = bytes >>> 8;
  target[start + 11] = bytes;
  return offset;
}

/** Throws for arguments that a parser would not read back as they were given. */
export function checkArguments(type: number, args: readonly Argument[]): void {
  const row = packetRow(type);
  if (!row) throw new UnknownPacketTypeError(type);
  for (const [index, name] of row.arguments.entries()) {
    const argument = args[index];
    if (argument === undefined) throw new MissingArgumentError(row.name, name);
    if (typeof argument === 'string' && BEYOND_A_BYTE.test(argument)) {
      throw new InvalidArgumentError(row.name, name, 'is text and not yet bytes: pass it through toByteString');
    }
    const isLast = index === row.arguments.length - 1;
    const hasNul = typeof argument === 'string' ? argument.includes('\0') : argument.includes(0);
    if (!isLast && hasNul) throw new InvalidArgumentError(row.name, name, 'contains a NUL byte');
  }
  if (args.length > row.arguments.length) {
    throw new InvalidArgumentError(row.name, String(row.arguments.length + 1), 'is one too many');
  }
}
