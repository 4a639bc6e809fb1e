import { randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type { JobOutcome, StoredJob, StoredPriority } from '../stored-job.js';
import { StorageError } from '../storage-error.js';

/** The format this version writes, and the newest it reads. */
export const FORMAT = 1;

/** Two copies of a segment's header stand before its records: one damaged place does not take both. */
export const HEADER_BYTES = 128;
const HEADER_COPY = 64;
const MAGIC = 'GLOG';

/** Checksum, length of all, number of the first item, version, flags (none yet). */
export const RECORD_HEADER = 16;

/** A record ends when it has so many bytes: it is what is read and checked at once. */
export const RECORD_BYTES = 16 * 1024;

/** What an item is. */
export const JOB = 1;
export const DEAD = 2;
export const ENDED = 3;
export const ORIGIN = 4;
export const SETTING = 5;
export type Kind = typeof JOB | typeof DEAD | typeof ENDED | typeof ORIGIN | typeof SETTING;

/** What else a record has. */
const END = 16;
const END_LIKE_BEFORE = 17;
const NAME = 18;

/** An item's flags. */
export const IS_APART = 1;
export const HANDLE_APART = 2;
const HAS_SOURCE = 4;
const HAS_UNIQUE = 8;
const HAS_REDUCER = 16;
const HAS_TIME = 32;
const HAS_COUNTERS = 64;
/** More fields follow, behind their length: the first is when it was accepted. Those of a later version are passed over. */
const HAS_MORE = 128;

/** In the byte that says what ended: its kind, and whether it was a job with a time. */
const TIMED = 8;

/** What a segment begins with. */
export interface SegmentHeader {
  readonly number: number;
  /** The number of its first item. */
  readonly first: number;
  /** How many bytes of the segment before are valid: what a failed write left behind them is void. */
  readonly previousEnd: number;
  /** Which owner of the folder writes it. */
  readonly claim: number;
  /** What the hashes of names are seeded with, in all segments. */
  readonly seed: number;
  /** What the checksums are seeded with: no workload, and no other segment's record, passes for one of this. */
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

/** What the log is to have of something: a job, or what became of one. */
export interface Item {
  readonly kind: Kind;
  readonly flags: number;
  /** Function and priority: `4 * the function's name + priority`. */
  readonly queue: number;
  readonly sequence: number;
  readonly handle: HandleParts;
  readonly job: Pick<StoredJob, 'unique' | 'reducer' | 'at' | 'attempts' | 'losses' | 'workload' | 'acceptedAt'>;
  /** Where the log had it before. */
  readonly source: Ended | undefined;
  /** When it died, or until when its result is kept. */
  readonly time: number;
  /** Why it died; or in one character whether it is complete. */
  readonly text: string;
}

/** An item that is over. */
export interface Ended {
  readonly number: number;
  readonly length: number;
  readonly kind: Kind;
  readonly hasTime: boolean;
  /** It does not wait where its queue is read in order. Not part of what the log says of an end. */
  readonly isApart?: boolean;
  /** Its handle is looked for by a hash. Neither is this. */
  readonly isHandleApart?: boolean;
}

/** A handle as the log has it: a prefix that many share and a number, or a name of its own. */
export type HandleParts = { readonly prefix: number; readonly number: number } | { readonly name: string };

/** A name that records use a number for. */
export interface Declared {
  readonly id: number;
  readonly text: string;
  /** The last record that says so. */
  record: number;
}

/** A batch of records as bytes. Every record has a checksum, and holds as a whole or not at all. */
export class RecordWriter {
  /** The batch's bytes, as far as it has come: valid until the next one begins. */
  bytes: Buffer = Buffer.allocUnsafe(64 * 1024);
  /** Where each of its records begins. */
  readonly records: number[] = [];
  private end = 0;
  private start = -1;
  /** The end that stands last in the record. */
  private lastQueue = -1;
  private lastWhat = 0;
  private lastNumber = 0;
  private number = 0;
  private secret = 0;
  /** How many records were begun. */
  private record = 0;

  /** Begins a batch; `header` stands before it in a new segment. */
  begin(secret: number, number: number, header?: Buffer): void {
    if (this.bytes.length > 4 * 1024 * 1024) this.bytes = Buffer.allocUnsafe(64 * 1024);
    this.end = 0;
    this.start = -1;
    this.records.length = 0;
    this.secret = secret;
    this.number = number;
    if (!header) return;
    this.end = header.copy(this.bytes);
  }

  /** Ends the batch: its bytes, with the header. */
  finish(): Buffer {
    this.endRecord();
    return this.bytes.subarray(0, this.end);
  }

  /** The number of the next item. */
  get next(): number {
    return this.number;
  }

  /** What follows, roughly so many bytes, stands in one record. */
  together(bytes: number): void {
    if (this.start >= 0) {
      const size = this.end - this.start;
      if (size + bytes <= RECORD_BYTES) return;
      this.endRecord();
    }
    this.ensure(RECORD_HEADER);
    this.start = this.end;
    this.records.push(this.start);
    this.end += RECORD_HEADER;
    this.bytes.writeUIntLE(this.number, this.start + 8, 6);
    this.bytes[this.start + 14] = FORMAT;
    this.bytes[this.start + 15] = 0;
    this.lastQueue = -1;
    this.record++;
  }

  /** Has a record say what a number stands for, once: each can be read without any other. */
  name(name: Declared): void {
    if (name.record === this.record) return;
    name.record = this.record;
    this.ensure(name.text.length + 16);
    this.bytes[this.end++] = NAME;
    this.varint(name.id);
    this.text(name.text);
  }

  over(ended: Ended, queue: number): void {
    this.together(24);
    this.ensure(32);
    const { number, length, kind, hasTime } = ended;
    const what = kind | (hasTime ? TIMED : 0);
    if (this.lastQueue === queue && this.lastWhat === what && number > this.lastNumber) {
      this.bytes[this.end++] = END_LIKE_BEFORE;
      this.varint(number - this.lastNumber);
      this.varint(length);
    } else {
      this.bytes[this.end++] = END;
      this.varint(queue);
      this.ended(ended);
    }
    this.lastQueue = queue;
    this.lastWhat = what;
    this.lastNumber = number;
  }

  /** Answers how many bytes it takes; its number was {@link next}. */
  item(item: Item): number {
    const { job, handle, source } = item;
    const { workload } = job;
    const name = 'name' in handle ? handle.name : '';
    this.ensure(job.unique.length + job.reducer.length + name.length + item.text.length * 3 + workload.length + 128);
    const start = this.end;
    let { flags } = item;
    if (source) flags |= HAS_SOURCE;
    if (job.unique !== '') flags |= HAS_UNIQUE;
    if (job.reducer !== '') flags |= HAS_REDUCER;
    if (job.at > 0) flags |= HAS_TIME;
    if (job.attempts > 0 || job.losses > 0) flags |= HAS_COUNTERS;
    const { acceptedAt } = job;
    if (acceptedAt !== undefined) flags |= HAS_MORE;
    this.bytes[start] = item.kind;
    this.bytes[start + 1] = flags;
    this.end += 6;
    this.varint(item.queue);
    this.varint(item.sequence);
    if ('name' in handle) {
      this.varint(0);
      this.text(name);
    } else {
      this.varint(handle.prefix + 1);
      this.varint(handle.number);
    }
    if (acceptedAt !== undefined) {
      // Its length is known once it is written: times of two centuries have six bytes.
      const at = this.end++;
      this.varint(acceptedAt);
      this.bytes[at] = this.end - at - 1;
    }
    if (source) this.ended(source);
    if (job.unique !== '') this.text(job.unique);
    if (job.reducer !== '') this.text(job.reducer);
    if (job.at > 0) this.varint(job.at);
    if (flags & HAS_COUNTERS) {
      this.varint(job.attempts);
      this.varint(job.losses);
    }
    if (hasText(item.kind)) {
      this.varint(item.time);
      const text = Buffer.from(item.text, 'utf8');
      this.varint(text.length);
      this.end += text.copy(this.bytes, this.end);
    }
    if (typeof workload === 'string') this.end += this.bytes.write(workload, this.end, 'latin1');
    else {
      this.bytes.set(workload, this.end);
      this.end += workload.length;
    }
    this.bytes.writeUInt32LE(this.end - start, start + 2);
    this.number++;
    return this.end - start;
  }

  private ended({ number, length, kind, hasTime }: Ended): void {
    this.bytes[this.end++] = kind | (hasTime ? TIMED : 0);
    this.varint(number);
    this.varint(length);
  }

  private endRecord(): void {
    const { start, end, bytes } = this;
    this.start = -1;
    if (start < 0) return;
    bytes.writeUInt32LE(end - start, start + 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(start + 4, end), this.secret), start);
  }

  private text(text: string): void {
    this.varint(text.length);
    this.end += this.bytes.write(text, this.end, 'latin1');
  }

  private varint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.end++] = (rest % 128) | 128;
      rest = rest < 2 ** 31 ? rest >>> 7 : Math.floor(rest / 128);
    }
    this.bytes[this.end++] = rest;
  }

  private ensure(bytes: number): void {
    if (this.end + bytes <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.end + bytes));
    this.bytes.copy(larger, 0, 0, this.end);
    this.bytes = larger;
  }
}

function hasText(kind: Kind): boolean {
  return kind === DEAD || kind === ENDED || kind === SETTING;
}

/** The length of the record that begins here if it is whole, 0 when none is. */
export function recordAt(bytes: Buffer, offset: number, secret: number): number {
  if (offset + RECORD_HEADER > bytes.length) return 0;
  const length = recordLength(bytes, offset);
  if (length < RECORD_HEADER || offset + length > bytes.length) return 0;
  // Spares most of the sums where anything may stand.
  if (bytes[offset + 14] !== FORMAT || bytes[offset + 15] !== 0) return 0;
  return crc32(bytes.subarray(offset + 4, offset + length), secret) === bytes.readUInt32LE(offset) ? length : 0;
}

/** The length of a record that is known to be whole. */
export function recordLength(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4);
}

/** The number of a record's first item. */
export function firstNumber(bytes: Buffer, offset: number): number {
  return bytes.readUIntLE(offset + 8, 6);
}

/** Who reads what a record says. */
export interface RecordVisitor {
  name(id: number, text: string): unknown;
  /** `item` is the reader's own, and another one afterwards. */
  item(item: ItemReader, number: number): unknown;
  over(ended: Ended, queue: number): void;
}

/** Tells all that a whole record says, in its order. Throws {@link RecordError} for what no version wrote. */
export function readRecord(bytes: Buffer, offset: number, length: number, visitor: RecordVisitor): void {
  const end = offset + length;
  const reader = new ItemReader(bytes);
  let number = firstNumber(bytes, offset);
  let before: (Ended & { queue: number }) | undefined;
  for (let at = offset + RECORD_HEADER; at < end; at = reader.end) {
    const tag = bytes[at]!;
    if (tag < END) {
      reader.read(at);
      visitor.item(reader, number++);
    } else if (tag === NAME) {
      reader.end = at + 1;
      visitor.name(reader.varint(), reader.string());
    } else if (tag === END) {
      reader.end = at + 1;
      const queue = reader.varint();
      before = { ...reader.ended(), queue };
      visitor.over(before, queue);
    } else if (tag === END_LIKE_BEFORE && before) {
      reader.end = at + 1;
      const delta = reader.varint();
      before = { ...before, number: before.number + delta, length: reader.varint() };
      visitor.over(before, before.queue);
    } else throw new RecordError(`a record says ${tag}, which nobody knows`);
  }
}

/** Bytes that are no record of this log's. */
export class RecordError extends Error {
  override readonly name = 'RecordError';
}

/** An item's fields, read one item after the other: most of them are only passed over. */
export class ItemReader {
  kind: Kind = JOB;
  flags = 0;
  length = 0;
  queue = 0;
  sequence = 0;
  /** The name of the handle's prefix, -1 when the handle has none. */
  prefix = -1;
  handleNumber = 0;
  handleStart = 0;
  handleEnd = 0;
  source: Ended | undefined;
  uniqueStart = 0;
  uniqueEnd = 0;
  at = 0;
  attempts = 0;
  losses = 0;
  acceptedAt: number | undefined;
  /** What it is sorted by besides its sequence: when its time comes, it died, or its result is forgotten. */
  time = 0;
  textStart = 0;
  textEnd = 0;
  /** How far was read. */
  end = 0;
  private reducerStart = 0;
  private reducerEnd = 0;
  private workloadStart = 0;

  constructor(readonly bytes: Buffer) {}

  read(offset: number): void {
    const { bytes } = this;
    this.kind = bytes[offset] as Kind;
    const flags = (this.flags = bytes[offset + 1]!);
    this.length = bytes.readUInt32LE(offset + 2);
    const end = offset + this.length;
    this.end = offset + 6;
    this.queue = this.varint();
    this.sequence = this.varint();
    this.prefix = this.varint() - 1;
    if (this.prefix < 0) {
      const length = this.varint();
      this.handleStart = this.end;
      this.handleEnd = this.end += length;
    } else this.handleNumber = this.varint();
    this.acceptedAt = undefined;
    if (flags & HAS_MORE) {
      const length = this.varint();
      const rest = this.end + length;
      if (length > 0) this.acceptedAt = this.varint();
      this.end = rest;
    }
    this.source = flags & HAS_SOURCE ? this.ended() : undefined;
    this.uniqueStart = this.uniqueEnd = 0;
    if (flags & HAS_UNIQUE) {
      const length = this.varint();
      this.uniqueStart = this.end;
      this.uniqueEnd = this.end += length;
    }
    this.reducerStart = this.reducerEnd = 0;
    if (flags & HAS_REDUCER) {
      const length = this.varint();
      this.reducerStart = this.end;
      this.reducerEnd = this.end += length;
    }
    this.time = this.at = flags & HAS_TIME ? this.varint() : 0;
    this.attempts = flags & HAS_COUNTERS ? this.varint() : 0;
    this.losses = flags & HAS_COUNTERS ? this.varint() : 0;
    if (hasText(this.kind)) {
      this.time = this.varint();
      const length = this.varint();
      this.textStart = this.end;
      this.textEnd = this.end += length;
    }
    this.workloadStart = this.end;
    if (this.end > end || end > bytes.length) throw new RecordError('an item is longer than it says');
    this.end = end;
  }

  get isApart(): boolean {
    return (this.flags & IS_APART) !== 0;
  }

  get isHandleApart(): boolean {
    return (this.flags & HANDLE_APART) !== 0;
  }

  get hasTime(): boolean {
    return this.kind === JOB && this.at > 0;
  }

  /** The handle, when it has no prefix. */
  get handleName(): string {
    return this.bytes.toString('latin1', this.handleStart, this.handleEnd);
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

  /** How an ended job is remembered. */
  get outcome(): JobOutcome {
    return { state: this.text as JobOutcome['state'], result: this.workload, keepUntil: this.time };
  }

  /** The job. */
  job(functionName: string, handle: string): StoredJob {
    return {
      handle,
      function: functionName,
      unique: this.uniqueEnd === 0 ? '' : this.unique,
      priority: (this.queue & 3) as StoredPriority,
      workload: this.workload,
      reducer: this.reducerEnd === 0 ? '' : this.bytes.toString('latin1', this.reducerStart, this.reducerEnd),
      at: this.at,
      attempts: this.attempts,
      losses: this.losses,
      acceptedAt: this.acceptedAt,
      sequence: this.sequence,
    };
  }

  ended(): Ended {
    const what = this.bytes[this.end++]!;
    const number = this.varint();
    return { number, length: this.varint(), kind: (what & 7) as Kind, hasTime: (what & TIMED) !== 0 };
  }

  string(): string {
    const length = this.varint();
    return this.bytes.toString('latin1', this.end, (this.end += length));
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
