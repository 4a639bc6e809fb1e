import { readFileSync } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { LogIndex } from './log-index.js';
import type { NumberList } from './number-list.js';
import type { Segment, SegmentBook, SegmentState } from './segment.js';

const VERSION = 5;
const CHECKPOINT = 'checkpoint';

/** What an index file begins with; its lists follow. */
interface IndexHead {
  /** Tells the segment from any other one. */
  readonly secret: number;
  readonly end: number;
  readonly items: number;
  readonly names: readonly (readonly [number, string])[];
  readonly lastSequence: number;
}

/** What a checkpoint begins with, oldest first; the bits of these segments follow. */
interface CheckpointHead {
  readonly segments: readonly (Omit<SegmentState, 'alive'> & { readonly number: number; readonly secret: number })[];
}

/**
 * Index files and the checkpoint save reading the log again at a start. All that
 * they say the log says too: one that is missing, damaged or of another version
 * is not used.
 */
export async function writeIndex(segment: Segment): Promise<void> {
  const { book, header, end, items, lastSequence } = segment;
  if (!book) return;
  const head: IndexHead = { secret: header.secret, end, items, names: [...book.names], lastSequence };
  const lists = listsOf(segment, book).map((list) => list.toArray());
  await writeChecked(indexPath(segment), head, [...lists, book.pairs]);
  segment.book = undefined;
}

/** Loads what a segment has from its index file; false when there is none that fits. */
export function loadIndex(segment: Segment, index: LogIndex): boolean {
  const read = readChecked<IndexHead>(indexPath(segment));
  if (!read || read.head.secret !== segment.header.secret || read.head.end !== segment.end) return false;
  const { book } = segment;
  const { head, parts } = read;
  if (!book) return false;
  for (const [at, list] of listsOf(segment, book).entries()) list.set(new Float64Array(parts[at]!));
  book.saved = new Uint32Array(parts.at(-1)!);
  segment.items = head.items;
  segment.lastSequence = head.lastSequence;
  segment.handlesAre(book.handles);
  for (const [id, text] of head.names) index.names.declared(id, text);
  return true;
}

/** The lists that an index file has, before the hashes. */
function listsOf({ offsets, firsts }: Segment, { runs, handles, places }: SegmentBook): NumberList[] {
  return [offsets, firsts, runs, handles, places];
}

/** Says what lives in segments, and that all ends that stand in those are known. */
export async function writeCheckpoint(path: string, segments: readonly Segment[]): Promise<void> {
  // Copied now, since they change while this is written.
  const states = segments.map((segment) => segment.state);
  const heads = states.map(({ alive: _, ...state }, at) => {
    const { number, secret } = segments[at]!.header;
    return { number, secret, ...state };
  });
  const bits = states.map(({ alive }) => alive);
  await writeChecked(join(path, CHECKPOINT), { segments: heads } satisfies CheckpointHead, bits);
}

/**
 * What lives, by the checkpoint, in the first of some segments; the others are to be read.
 *
 * @param cut is told of a segment that is shorter than it was, and how long that was.
 */
export function loadCheckpoint(
  path: string,
  segments: readonly Segment[],
  cut: (segment: Segment, end: number) => void,
): Map<Segment, SegmentState> {
  const states = new Map<Segment, SegmentState>();
  const { head, parts } = readChecked<CheckpointHead>(join(path, CHECKPOINT)) ?? { head: { segments: [] }, parts: [] };
  const last = head.segments.at(-1)?.number ?? 0;
  for (const segment of segments) {
    const { number, secret } = segment.header;
    if (number > last) break;
    const at = head.segments.findIndex((each) => each.number === number && each.secret === secret);
    // The checkpoint is another log's.
    if (at < 0) return new Map();
    const state = head.segments[at]!;
    if (state.end > segment.end) cut(segment, state.end);
    // The end of its file was lost, or an owner whose folder was taken over has written more: it is read again, as are
    // those behind it.
    if (state.end !== segment.end) break;
    states.set(segment, { ...state, alive: new Uint8Array(parts[at]!) });
  }
  return states;
}

export async function removeIndex(segment: Segment): Promise<void> {
  await rm(indexPath(segment), { force: true });
}

function indexPath(segment: Segment): string {
  return segment.path.replace(/log$/, 'index');
}

/** Writes checksum, length of the head, the head, and the parts; the file gets its name only when it is whole. */
async function writeChecked(
  path: string,
  head: object,
  parts: readonly (Float64Array | Uint32Array | Uint8Array)[],
): Promise<void> {
  const lengths = parts.map(({ byteLength }) => byteLength);
  const text = Buffer.from(JSON.stringify({ version: VERSION, lengths, head }), 'utf8');
  const start = Buffer.alloc(8);
  start.writeUInt32LE(text.length, 4);
  const bytes = parts.map((part) => Buffer.from(part.buffer, part.byteOffset, part.byteLength));
  // For an empty piece the checksum is 0, whatever the sum before it.
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

/** What was written, its parts as copies; undefined where there is no whole file of this version. */
function readChecked<Head>(path: string): { head: Head; parts: ArrayBuffer[] } | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length < 8 || crc32(bytes.subarray(4)) !== bytes.readUInt32LE(0)) return undefined;
    let end = 8 + bytes.readUInt32LE(4);
    const text = JSON.parse(bytes.toString('utf8', 8, end)) as { version: number; lengths: number[]; head: Head };
    if (text.version !== VERSION) return undefined;
    const parts = text.lengths.map((length) => new Uint8Array(bytes.subarray(end, (end += length))).buffer);
    return { head: text.head, parts };
  } catch {
    return undefined;
  }
}
