import { readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { byPart } from './hash-table.js';
import type { LogIndex } from './log-index.js';
import { SegmentBook, type Segment, type Tally } from './segment.js';

const VERSION = 1;
const CHECKPOINT = 'checkpoint';

/** What an index file begins with: where its parts are. */
interface IndexHead {
  readonly version: number;
  /** Tells the segment from any other one. */
  readonly secret: number;
  readonly end: number;
  readonly items: number;
  readonly lengths: readonly number[];
  readonly names: readonly (readonly [number, string])[];
  readonly lastHandles: readonly (readonly [number, number])[];
  readonly lastSequence: number;
}

/** What a checkpoint begins with; the bits of its segments follow. */
interface CheckpointHead {
  readonly version: number;
  /** The first segment whose records it does not have. */
  readonly replayFrom: number;
  readonly segments: readonly {
    readonly number: number;
    readonly secret: number;
    readonly items: number;
    readonly living: number;
    readonly livingBytes: number;
    readonly tallies: readonly (readonly [number, Tally])[];
  }[];
}

/**
 * Index files and the checkpoint save reading the log again at a start. All that
 * they say the log says too: one that is missing, damaged or of another version
 * is not used.
 */
export async function writeIndex(segment: Segment): Promise<void> {
  const { book, header } = segment;
  if (!book) return;
  const hashes = byPart(book.hashes.toArray());
  const parts = [segment.offsets, segment.firsts, book.runs, book.handles, book.places].map((list) => list.toArray());
  const head: IndexHead = {
    version: VERSION,
    secret: header.secret,
    end: segment.end,
    items: segment.items,
    lengths: [...parts, hashes].map(({ byteLength }) => byteLength),
    names: [...book.names],
    lastHandles: [...book.lastHandles],
    lastSequence: book.lastSequence,
  };
  await writeChecked(indexPath(segment), head, [...parts, hashes]);
  segment.book = undefined;
}

/** Loads what a segment has from its index file; false when there is none that fits. */
export function loadIndex(segment: Segment, index: LogIndex): boolean {
  const read = readChecked<IndexHead>(indexPath(segment));
  if (!read || read.head.version !== VERSION || read.head.secret !== segment.header.secret) return false;
  const { head, parts } = read;
  if (head.end !== segment.end) return false;
  const [offsets, firsts, runs, handles, places, hashes] = split(parts, head.lengths);
  segment.items = head.items;
  segment.offsets.set(doubles(offsets!));
  segment.firsts.set(doubles(firsts!));
  for (const [id, text] of head.names) index.names.declared(id, text);
  const book = new SegmentBook();
  book.runs.set(doubles(runs!));
  book.handles.set(doubles(handles!));
  for (const [id, last] of head.lastHandles) book.lastHandles.set(id, last);
  book.lastSequence = head.lastSequence;
  segment.book = book;
  index.loaded(segment);
  segment.book = undefined;
  segment.rest = { places: doubles(places!), hashes: ints(hashes!) };
  return true;
}

/** Says what lives in the segments before one, and that ends in those are known. */
export async function writeCheckpoint(index: LogIndex, replayFrom: number): Promise<void> {
  const segments = index.segments.filter(({ header }) => header.number < replayFrom);
  const head: CheckpointHead = {
    version: VERSION,
    replayFrom,
    segments: segments.map(({ header, items, living, livingBytes, tallies }) => ({
      number: header.number,
      secret: header.secret,
      items,
      living,
      livingBytes,
      tallies: [...tallies]
        .filter(([, [total]]) => total > 0)
        .map(([queue, [total, scheduled]]) => [queue, [total, scheduled]]),
    })),
  };
  // As they are now: they change while this is written.
  const bits = segments.map(({ alive, items }) => alive.bytes.slice(0, (items + 7) >>> 3));
  await writeChecked(join(index.path, CHECKPOINT), head, bits);
}

/** What lives, by the checkpoint, in segments that have just been made: those it does not know are to be read. */
export function loadCheckpoint(path: string, segments: readonly Segment[]): number {
  const read = readChecked<CheckpointHead>(join(path, CHECKPOINT));
  if (read?.head.version !== VERSION) return 0;
  const { head, parts } = read;
  const bits = split(
    parts,
    head.segments.map(({ items }) => (items + 7) >>> 3),
  );
  const known = new Map(head.segments.map((each, at) => [each.number, { ...each, bits: bits[at]! }]));
  const before = segments.filter(({ header }) => header.number < head.replayFrom);
  if (before.some(({ header }) => known.get(header.number)?.secret !== header.secret)) return 0;
  for (const segment of before) {
    const { living, livingBytes, tallies, bits: alive } = known.get(segment.header.number)!;
    segment.living = living;
    segment.livingBytes = livingBytes;
    segment.alive.bytes = new Uint8Array(Math.max(64, alive.length));
    segment.alive.bytes.set(alive);
    for (const [queue, [total, scheduled]] of tallies) segment.tallies.set(queue, [total, scheduled]);
  }
  return head.replayFrom;
}

export async function removeIndex(segment: Segment): Promise<void> {
  await rm(indexPath(segment), { force: true });
}

export function indexPath(segment: Segment): string {
  return segment.path.replace(/log$/, 'index');
}

type Part = Float64Array | Uint32Array | Uint8Array;

/** Checksum, length of the head, the head, what follows it: all or nothing gets the name. */
async function writeChecked(path: string, head: object, parts: readonly Part[]): Promise<void> {
  const text = Buffer.from(JSON.stringify(head), 'utf8');
  const start = Buffer.alloc(8);
  start.writeUInt32LE(text.length, 4);
  const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  // The checksum of nothing is 0, whatever stands before it.
  const pieces = [start, text, ...bytes.filter(({ length }) => length > 0)];
  let sum = crc32(start.subarray(4));
  for (const piece of pieces.slice(1)) sum = crc32(piece, sum);
  start.writeUInt32LE(sum, 0);
  const draft = `${path}.new`;
  const file = await open(draft, 'w', 0o600);
  try {
    for (const piece of pieces) await file.writeFile(piece);
  } finally {
    await file.close();
  }
  await rename(draft, path);
}

function readChecked<Head>(path: string): { head: Head; parts: Buffer } | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length < 8 || crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return undefined;
    const end = 8 + bytes.readUInt32LE(4);
    return { head: JSON.parse(bytes.toString('utf8', 8, end)) as Head, parts: bytes.subarray(end) };
  } catch {
    return undefined;
  }
}

function split(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  let end = 0;
  return lengths.map((length) => bytes.subarray(end, (end += length)));
}

function doubles(bytes: Buffer): Float64Array<ArrayBuffer> {
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
}

function ints(bytes: Buffer): Uint32Array<ArrayBuffer> {
  return new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer);
}
