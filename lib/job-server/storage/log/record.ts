import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { JobOutcome, Past, StoredJob, StoredPriority } from '../stored-job.js';
import { hashOfBytes } from './hash-table.js';
import { storageError } from '../folder/file-errors.js';
import { StorageError } from '../storage-error.js';

/** The format this version writes, and the newest it reads. */
export const FORMAT = 1;

/** Two copies of a segment's header stand before its records: one damaged place does not take both. */
export const HEADER_BYTES = 128;
const HEADER_COPY = 64;
const MAGIC = 'GWAL';

/** Checksum, length of all, number of the first item, version, flags (none yet), a hash of these. */
export const RECORD_HEADER = 20;
const RECORD_CHECK = 16;

/** What an item is, and its length; its fields follow. */
export const ITEM_HEADER = 5;

/** A record ends when it has so many bytes: it is what is read and checked at once. */
export const RECORD_BYTES = 16 * 1024;

/** What an item is. */
export const JOB = 1;
export const DEAD = 2;
export const ENDED = 3;
export const ORIGIN = 4;
export const SETTING = 5;
export type Kind = typeof JOB | typeof DEAD | typeof ENDED | typeof ORIGIN | typeof SETTING;

/** What else a record has: that an item is over, and what the number of a function stands for. */
export const END = 6;
export const NAME = 7;

/** Each of them begins with a byte. These are its lowest bits; an end has the kind of its item above them. */
const WHAT = 7;
const KIND_SHIFT = 3;
/** An item does not wait where its queue is read in order. */
export const APART = 8;
/** What is over was a job with a time. */
const TIMED = 64;

/** The byte that an end begins with. */
export function endByte({ kind, hasTime }: Stored): number {
  return END | (kind << KIND_SHIFT) | (hasTime ? TIMED : 0);
}

/** What a segment begins with. */
export interface SegmentHeader {
  readonly number: number;
  /** The number of its first item. */
  readonly first: number;
  /** How many bytes of the segment before are valid: what a failed write left behind them is void. */
  readonly previousEnd: number;
  /** Which owner of the folder writes it. */
  readonly claim: number;
  /** The seed of the hashes of names, in all segments. */
  readonly seed: number;
  /** The seed of the checksums: no workload, and no record of another segment, passes for a record of this one. */
  readonly secret: number;
}

export function headerBytes(header: SegmentHeader): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.write(MAGIC, 0, 'latin1');
  bytes.writeUInt32LE(FORMAT, 4);
  bytes.writeDoubleLE(header.number, 8);
  bytes.writeDoubleLE(header.first, 16);
  bytes.writeDoubleLE(header.previousEnd, 24);
  bytes.writeDoubleLE(header.claim, 32);
  bytes.writeUInt32LE(header.seed, 40);
  bytes.writeUInt32LE(header.secret, 44);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, HEADER_COPY - 4)), HEADER_COPY - 4);
  bytes.copy(bytes, HEADER_COPY, 0, HEADER_COPY);
  return bytes;
}

/** The header in a segment's first bytes; undefined when neither copy is whole. Throws GEARMAN_STORAGE_VERSION. */
export function headerIn(bytes: Buffer, path: string): SegmentHeader | undefined {
  for (const copy of [bytes.subarray(0, HEADER_COPY), bytes.subarray(HEADER_COPY, HEADER_BYTES)]) {
    if (copy.length < HEADER_COPY || copy.toString('latin1', 0, 4) !== MAGIC) continue;
    if (copy.readUInt32LE(HEADER_COPY - 4) !== crc32(copy.subarray(0, HEADER_COPY - 4))) continue;
    const version = copy.readUInt32LE(4);
    if (version > FORMAT) throw newer(path, version);
    return {
      number: copy.readDoubleLE(8),
      first: copy.readDoubleLE(16),
      previousEnd: copy.readDoubleLE(24),
      claim: copy.readDoubleLE(32),
      seed: copy.readUInt32LE(40),
      secret: copy.readUInt32LE(44),
    };
  }
  return undefined;
}

function newer(path: string, version: number): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_VERSION',
    `the log in ${path} has format ${version}, which is newer than this version of nestjs-gearman knows (${FORMAT}): use the newer one`,
  );
}

export function newSecret(): number {
  return randomInt(2 ** 32);
}

/** What the log has of something: an item, and what is said of it when it is over. */
export interface Stored {
  readonly number: number;
  readonly length: number;
  readonly kind: Kind;
  readonly hasTime: boolean;
  /** It does not wait where its queue is read in order. Not part of what the log says of an end. */
  readonly isApart?: boolean;
}

/** Whether an item has a time and a text behind its fields. */
export function hasText(kind: Kind): boolean {
  return kind === DEAD || kind === ENDED || kind === SETTING;
}

/** The length of the record that begins here if it is whole, 0 when none is. */
export function recordAt(bytes: Buffer, offset: number, secret: number): number {
  const length = claimedLength(bytes, offset, secret);
  if (length === 0 || offset + length > bytes.length) return 0;
  return crc32(bytes.subarray(offset + 4, offset + length), secret) === bytes.readUInt32LE(offset) ? length : 0;
}

/**
 * How long a record would be that begins here; 0 when none does. In damaged bytes any place may look like the beginning
 * of one: without a hash that nobody can know, a workload full of such beginnings would need a checksum over all of it
 * at each.
 */
export function claimedLength(bytes: Buffer, offset: number, secret: number): number {
  if (offset + RECORD_HEADER > bytes.length || bytes[offset + 14] !== FORMAT || bytes[offset + 15] !== 0) return 0;
  const length = recordLength(bytes, offset);
  if (length < RECORD_HEADER) return 0;
  return bytes.readUInt32LE(offset + RECORD_CHECK) === headerHash(bytes, offset, secret) ? length : 0;
}

/** Completes a record: writes its length and its checksums. */
export function sealRecord(bytes: Buffer, offset: number, length: number, secret: number): void {
  bytes.writeUInt32LE(length, offset + 4);
  bytes.writeUInt32LE(headerHash(bytes, offset, secret), offset + RECORD_CHECK);
  bytes.writeUInt32LE(crc32(bytes.subarray(offset + 4, offset + length), secret), offset);
}

function headerHash(bytes: Buffer, offset: number, secret: number): number {
  return hashOfBytes(bytes, offset + 4, offset + RECORD_CHECK, secret) >>> 0;
}

/** The length of a record that is known to be whole. */
export function recordLength(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4);
}

/** The number of a record's first item. */
export function firstNumber(bytes: Buffer, offset: number): number {
  return bytes.readUIntLE(offset + 8, 6);
}

/** Is told what a record says. */
export interface RecordVisitor {
  name(id: number, text: string): unknown;
  /** `item` is the reader itself, which has the next item afterwards. */
  item(item: ItemReader): unknown;
  over(stored: Stored, queue: number): void;
}

/** Tells all that a whole record says, in its order. Throws {@link RecordError} for what no version wrote. */
export function readRecord(bytes: Buffer, offset: number, length: number, visitor: RecordVisitor): void {
  const end = offset + length;
  const reader = new ItemReader(bytes);
  let next = firstNumber(bytes, offset);
  for (let at = offset + RECORD_HEADER; at < end; at = reader.end) {
    const first = bytes[at]!;
    const what = first & WHAT;
    if (what === 0) throw new RecordError(`a record says ${first}, which nobody knows`);
    if (what < END) {
      reader.read(at, next++);
      visitor.item(reader);
      continue;
    }
    reader.end = at + 1;
    if (what === NAME) visitor.name(reader.varint(), reader.string());
    else {
      const queue = reader.varint();
      const kind = ((first >>> KIND_SHIFT) & WHAT) as Kind;
      const hasTime = (first & TIMED) !== 0;
      visitor.over({ number: reader.varint(), length: reader.varint(), kind, hasTime }, queue);
    }
  }
}

/** Bytes that are no record of this log's. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** Why a log in a folder could not be read. */
export function readingError(error: unknown, path: string): StorageError {
  return error instanceof RecordError ? damagedError(path, error.message, error) : storageError(error, path);
}

/** A log that cannot be trusted. */
export function damagedError(path: string, what: string, cause?: unknown): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_CORRUPT',
    `the log in ${path} is damaged (${what}): move the folder away and put a backup in its place`,
    { cause },
  );
}

/** An item's fields, read one item after the other: most of them are only passed over. */
export class ItemReader {
  number = 0;
  kind: Kind = JOB;
  isApart = false;
  length = 0;
  queue = 0;
  sequence = 0;
  handleStart = 0;
  handleEnd = 0;
  uniqueStart = 0;
  uniqueEnd = 0;
  at = 0;
  attempts = 0;
  losses = 0;
  /** What it is sorted by besides its sequence: when its time comes, it died, or its result is forgotten. */
  time = 0;
  textStart = 0;
  textEnd = 0;
  /** Up to where it has read. */
  end = 0;
  private reducerStart = 0;
  private reducerEnd = 0;
  private workloadStart = 0;
  /** A millisecond more than when it was accepted; 0 where nobody knows when. */
  private accepted = 0;

  constructor(readonly bytes: Buffer) {}

  /** Reads an item's fields: see `Batch`, which writes them. */
  read(offset: number, number: number): void {
    const { bytes } = this;
    const first = bytes[offset]!;
    this.number = number;
    this.kind = (first & WHAT) as Kind;
    this.isApart = (first & APART) !== 0;
    this.length = bytes.readUInt32LE(offset + 1);
    const end = offset + this.length;
    this.end = offset + ITEM_HEADER;
    this.queue = this.varint();
    this.sequence = this.varint();
    this.handleStart = this.pass();
    this.handleEnd = this.end;
    this.uniqueStart = this.pass();
    this.uniqueEnd = this.end;
    this.reducerStart = this.pass();
    this.reducerEnd = this.end;
    this.accepted = this.varint();
    this.time = this.at = this.varint();
    this.attempts = this.varint();
    this.losses = this.varint();
    if (hasText(this.kind)) {
      this.time = this.varint();
      this.textStart = this.pass();
      this.textEnd = this.end;
    }
    this.workloadStart = this.end;
    if (this.end > end || end > bytes.length) throw new RecordError('an item is longer than it says');
    this.end = end;
  }

  /** When it was accepted, in milliseconds since 1970; undefined where nobody knows. */
  get acceptedAt(): number | undefined {
    return this.accepted === 0 ? undefined : this.accepted - 1;
  }

  get hasUnique(): boolean {
    return this.uniqueEnd > this.uniqueStart;
  }

  /** Whether it is a job, or what became of one. */
  get isOfJob(): boolean {
    return this.kind <= ENDED;
  }

  /**
   * Whether it is a job that nobody has tried: such jobs are many, and their handles stand in the order they came, so
   * they are found by the blocks that have their group. One that is tried again and again would be in ever more of them.
   */
  get isFresh(): boolean {
    return !this.isApart || (this.kind === JOB && this.attempts === 0 && this.losses === 0);
  }

  get hasTime(): boolean {
    return this.kind === JOB && this.at > 0;
  }

  /** The handle; where a job came from, or a setting's name. */
  get handle(): string {
    return this.bytes.toString('latin1', this.handleStart, this.handleEnd);
  }

  isNamed(handle: string): boolean {
    return this.handleEnd - this.handleStart === handle.length && this.handle === handle;
  }

  get unique(): string {
    return this.bytes.toString('latin1', this.uniqueStart, this.uniqueEnd);
  }

  /** Why it died, or how it ended; a setting's value. */
  get text(): string {
    return this.bytes.toString('utf8', this.textStart, this.textEnd);
  }

  /** Its workload, or its result: a copy, as what it was read with is used again. */
  get workload(): string | Uint8Array {
    const { bytes, workloadStart, end } = this;
    if (end - workloadStart <= 1_024) return bytes.toString('latin1', workloadStart, end);
    return new Uint8Array(bytes.subarray(workloadStart, end));
  }

  /** Why it died, or how it ended. */
  get past(): Past | undefined {
    if (this.kind === DEAD) return { error: this.text, diedAt: this.time };
    if (this.kind !== ENDED) return undefined;
    return { state: this.text as JobOutcome['state'], result: this.workload, keepUntil: this.time };
  }

  /** What the log has of it. */
  get stored(): Stored {
    const { number, length, kind, hasTime, isApart } = this;
    return { number, length, kind, hasTime, isApart };
  }

  get reducer(): string {
    const { bytes, reducerStart, reducerEnd } = this;
    return reducerEnd === reducerStart ? '' : bytes.toString('latin1', reducerStart, reducerEnd);
  }

  /** The job. */
  job(functionName: string): StoredJob {
    return new ReadJob(this, functionName);
  }

  string(): string {
    return this.bytes.toString('latin1', this.pass(), this.end);
  }

  /** Passes over a string; answers where it begins. */
  private pass(): number {
    const length = this.varint();
    const start = this.end;
    this.end += length;
    return start;
  }

  varint(): number {
    const { bytes } = this;
    let byte = bytes[this.end++]!;
    if (byte < 128) return byte;
    let value = byte & 127;
    let factor = 128;
    do {
      byte = bytes[this.end++]!;
      value += (byte & 127) * factor;
      factor *= 128;
    } while (byte >= 128);
    return value;
  }
}

/**
 * A job as it was read. No object literal: once most objects that a literal
 * made have outlived a garbage collection, as jobs do while the disk is slow,
 * V8 makes all of them in the old generation, and each job's strings stay with
 * it.
 */
class ReadJob implements StoredJob {
  readonly handle: string;
  readonly function: string;
  readonly unique: string;
  readonly priority: StoredPriority;
  readonly workload: string | Uint8Array;
  readonly reducer: string;
  readonly at: number;
  readonly attempts: number;
  readonly losses: number;
  readonly acceptedAt: number | undefined;
  readonly sequence: number;

  constructor(item: ItemReader, functionName: string) {
    this.handle = item.handle;
    this.function = functionName;
    this.unique = item.hasUnique ? item.unique : '';
    this.priority = (item.queue & 3) as StoredPriority;
    this.workload = item.workload;
    this.reducer = item.reducer;
    this.at = item.at;
    this.attempts = item.attempts;
    this.losses = item.losses;
    this.acceptedAt = item.acceptedAt;
    this.sequence = item.sequence;
  }
}
