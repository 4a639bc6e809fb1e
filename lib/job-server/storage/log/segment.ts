import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { byPart, Part } from './hash-table.js';
import { NumberList } from './number-list.js';
import {
  claimedLength,
  HEADER_BYTES,
  readRecord,
  RECORD_BYTES,
  recordAt,
  ItemReader,
  type SegmentHeader,
} from './record.js';

const NAME = /^(\d{10})-(\d+)\.log$/;

/** A segment's file: no two owners of a folder write the same. */
export function segmentName({ number, claim }: Pick<SegmentHeader, 'number' | 'claim'>): string {
  return `${String(number).padStart(10, '0')}-${claim}.log`;
}

/** Which segment a file is by its name; undefined for another file. */
export function segmentOfName(name: string): Pick<SegmentHeader, 'number' | 'claim'> | undefined {
  const [, number, claim] = NAME.exec(name) ?? [];
  return number === undefined ? undefined : { number: Number(number), claim: Number(claim) };
}

/** Some bytes of a segment that nobody can read as what they were. */
export interface Damage {
  readonly segment: Segment;
  readonly offset: number;
  readonly bytes: Buffer;
  readonly reason: string;
}

/** What a queue has in a segment: `[all jobs, those with a time]`. */
export type Tally = [total: number, scheduled: number];

/** What lives in a segment. */
export interface SegmentState {
  /** How many of its bytes this is of. */
  readonly end: number;
  readonly items: number;
  readonly living: number;
  readonly livingBytes: number;
  /** Tallies of queues that have something. */
  readonly tallies: readonly (readonly [number, Readonly<Tally>])[];
  /** One bit an item. */
  readonly alive: Uint8Array;
}

/**
 * One file of the log, and what memory knows of it: where its blocks begin, and
 * which of its items live. A block is some 16 KiB of records.
 */
export class Segment {
  /** How many of its bytes are valid. */
  end = HEADER_BYTES;
  /** How many items it has had. */
  items = 0;
  living = 0;
  livingBytes = 0;
  /** The highest sequence that a job of it has. */
  lastSequence = 0;
  /** What the living jobs are, by queue. */
  readonly tallies = new Map<number, Tally>();
  readonly offsets = new NumberList();
  /** The number of each block's first item. */
  readonly firsts = new NumberList();
  /** In which blocks handles of a group are, those of fresh jobs. */
  readonly handles = new Part();
  readonly alive = new Bits();
  /** Items that memory has: leased, or changed since. */
  readonly inMemory = new Bits();
  /** What its index file will say; missing once that is written. */
  book: SegmentBook | undefined = new SegmentBook();
  /** The last group, if the last block has it. */
  private lastGroup = -1;
  private file: number | undefined;

  constructor(
    readonly folder: string,
    readonly header: SegmentHeader,
  ) {}

  get path(): string {
    return join(this.folder, segmentName(this.header));
  }

  get first(): number {
    return this.header.first;
  }

  /** The number of the item behind its last. */
  get next(): number {
    return this.first + this.items;
  }

  /** A copy of what lives. */
  get state(): SegmentState {
    const { end, items, living, livingBytes, tallies, alive } = this;
    const some = [...tallies].filter(([, [total]]) => total > 0);
    const copies = some.map(([queue, [total, scheduled]]) => [queue, [total, scheduled]] as const);
    return { end, items, living, livingBytes, tallies: copies, alive: alive.bytes.slice(0, (items + 7) >>> 3) };
  }

  /** Sets what lives, where that is known better than by what was read. */
  set state({ living, livingBytes, tallies, alive }: SegmentState) {
    this.living = living;
    this.livingBytes = livingBytes;
    this.tallies.clear();
    for (const [queue, [total, scheduled]] of tallies) this.tallies.set(queue, [total, scheduled]);
    this.alive.bytes = new Uint8Array(Math.max(64, alive.length));
    this.alive.bytes.set(alive);
  }

  /** A record was written, or found. */
  addRecord(offset: number, length: number, number: number): void {
    const last = this.offsets.last;
    if (last === undefined || offset - last >= RECORD_BYTES || length > RECORD_BYTES) {
      this.offsets.push(offset);
      this.firsts.push(number);
      this.lastGroup = -1;
    }
    this.end = offset + length;
    // Records that cannot be read may have had items.
    if (number > this.next) this.items = number - this.first;
  }

  isAlive(number: number): boolean {
    return this.alive.has(number - this.first);
  }

  /** Whether one of these items lives. */
  hasLiving(from: number, to: number): boolean {
    return this.alive.hasAny(from - this.first, to - this.first);
  }

  addItem({ number, length, sequence }: ItemReader): void {
    this.alive.set(number - this.first);
    if (sequence > this.lastSequence) this.lastSequence = sequence;
    this.items = number - this.first + 1;
    this.living++;
    this.livingBytes += length;
  }

  /** The last block has a handle of this group. */
  addHandle(group: number): void {
    if (group === this.lastGroup) return;
    this.lastGroup = group;
    const last = this.firsts.length - 1;
    if (this.handles.find(group, (block) => block === last) !== undefined) return;
    this.handles.add(group, last);
    this.book?.handles.push(group);
    this.book?.handles.push(last);
  }

  /** What {@link addHandle} was told once: group, block. */
  handlesAre(pairs: NumberList): void {
    this.handles.expect(pairs.length / 2);
    for (let at = 0; at < pairs.length; at += 2) this.handles.add(pairs.at(at), pairs.at(at + 1));
  }

  removeItem(number: number, length: number): void {
    this.alive.clear(number - this.first);
    this.inMemory.clear(number - this.first);
    this.living--;
    this.livingBytes = this.living === 0 ? 0 : this.livingBytes - length;
  }

  count(queue: number, hasTime: boolean, by: 1 | -1): void {
    let tally = this.tallies.get(queue);
    if (!tally) this.tallies.set(queue, (tally = [0, 0]));
    tally[0] += by;
    if (hasTime) tally[1] += by;
  }

  /** Which block an item is in. */
  blockOf(number: number): number {
    return this.firsts.lastNotAbove(number);
  }

  /** The number of the first item behind a block. */
  blockNext(block: number): number {
    return block + 1 < this.firsts.length ? this.firsts.at(block + 1) : this.next;
  }

  /** Reads and checks a block. Throws what the file system throws. */
  readBlock(index: number, damaged: (damage: Damage) => void): Block {
    const start = this.offsets.at(index);
    const end = index + 1 < this.offsets.length ? this.offsets.at(index + 1) : this.end;
    const bytes = this.read(start, end - start);
    const items = { first: this.firsts.at(index), next: this.blockNext(index) };
    return new Block(this, items, start, bytes, damaged);
  }

  /** Some of its bytes, fewer where it ends before; in a buffer that has room for them. */
  read(offset: number, length: number, bytes = Buffer.allocUnsafe(length)): Buffer {
    let done = 0;
    while (done < length) {
      const count = readSync(this.open(), bytes, done, length - done, offset + done);
      if (count === 0) break;
      done += count;
    }
    return bytes.subarray(0, done);
  }

  /** How long its file is. */
  fileSize(): number {
    return fstatSync(this.open()).size;
  }

  /** Its file, open for reading. */
  open(): number {
    return (this.file ??= openSync(this.path, 'r'));
  }

  close(): void {
    if (this.file !== undefined) closeSync(this.file);
    this.file = undefined;
  }
}

/** Some 16 KiB of a segment, checked. */
export class Block {
  /** Where each item begins in the bytes; 0 where it cannot be read. */
  private readonly offsets: Uint32Array;
  private readonly reader: ItemReader;

  constructor(
    segment: Segment,
    /** The number of its first item, and of the one behind its last. */
    readonly items: { readonly first: number; readonly next: number },
    start: number,
    readonly bytes: Buffer,
    damaged: (damage: Damage) => void,
  ) {
    const { first, next } = items;
    this.offsets = new Uint32Array(next - first);
    this.reader = new ItemReader(bytes);
    const visitor = {
      name: () => undefined,
      over: () => undefined,
      item: (item: ItemReader) => {
        this.offsets[item.number - first] = item.end - item.length;
      },
    };
    eachRecord(bytes, segment.header.secret, {
      record: (offset, length) => readRecord(bytes, offset, length, visitor),
      damage: (offset, length) =>
        damaged({
          segment,
          offset: start + offset,
          bytes: Buffer.from(bytes.subarray(offset, offset + length)),
          reason: `${length} bytes at ${start + offset} of ${segmentName(segment.header)} are damaged`,
        }),
    });
  }

  /** An item's fields, until another one is asked for; undefined when it cannot be read. */
  item(number: number, reader = this.reader): ItemReader | undefined {
    const offset = this.offsets[number - this.items.first] ?? 0;
    if (offset === 0) return undefined;
    reader.read(offset, number);
    return reader;
  }
}

/** Tells the whole records in some bytes, and what stands between them. @param isAll false: the last may go on behind them. */
export function eachRecord(
  bytes: Buffer,
  secret: number,
  told: { record(offset: number, length: number): unknown; damage(offset: number, length: number): unknown },
  isAll = true,
): void {
  let damagedFrom = -1;
  for (let offset = 0; offset < bytes.length;) {
    const length = recordAt(bytes, offset, secret);
    if (length === 0) {
      if (damagedFrom < 0) damagedFrom = offset;
      if (!isAll && offset + claimedLength(bytes, offset, secret) > bytes.length) break;
      offset++;
      continue;
    }
    if (damagedFrom >= 0) told.damage(damagedFrom, offset - damagedFrom);
    damagedFrom = -1;
    told.record(offset, length);
    offset += length;
  }
  if (damagedFrom >= 0) told.damage(damagedFrom, bytes.length - damagedFrom);
}

/** What an index file says of a sealed segment, beside where its blocks begin. */
export class SegmentBook {
  /** Where a queue's jobs begin in a block: queue, number. */
  readonly runs = new NumberList();
  /** Which groups of handles blocks have: group, block. */
  readonly handles = new NumberList();
  /** What does not wait in the log's order: kind, queue, time, sequence, number. */
  readonly places = new NumberList();
  /** What is looked for by a hash: hash, place in the segment. */
  readonly hashes = new NumberList();
  readonly names = new Map<number, string>();
  /** The hashes as the index file says them; missing before it is written. */
  saved: Uint32Array<ArrayBuffer> | undefined;

  /** The hashes, in the order of a table's parts. */
  get pairs(): Uint32Array<ArrayBuffer> {
    return this.saved ?? byPart(this.hashes.toArray());
  }
}

/** One bit an item, as many as there are. */
export class Bits {
  bytes: Uint8Array = new Uint8Array(64);

  has(index: number): boolean {
    return (this.bytes[index >>> 3]! & (1 << (index & 7))) !== 0;
  }

  set(index: number): void {
    if (index >>> 3 >= this.bytes.length) {
      const larger = new Uint8Array(Math.max(this.bytes.length * 2, (index >>> 3) + 1));
      larger.set(this.bytes);
      this.bytes = larger;
    }
    this.bytes[index >>> 3]! |= 1 << (index & 7);
  }

  clear(index: number): void {
    if (index >>> 3 < this.bytes.length) this.bytes[index >>> 3]! &= ~(1 << (index & 7));
  }

  hasAny(from: number, to: number): boolean {
    for (let index = from; index < to; index++) {
      if ((index & 7) === 0 && this.bytes[index >>> 3] === 0) index += 7;
      else if (this.has(index)) return true;
    }
    return false;
  }
}
