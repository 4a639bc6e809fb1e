import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StorageError } from '../storage-error.js';
import { loadCheckpoint, loadIndex } from './index-file.js';
import { LogIndex } from './log-index.js';
import {
  claimedLength,
  damagedError,
  firstNumber,
  HEADER_BYTES,
  headerIn,
  newSecret,
  readingError,
  readRecord,
} from './record.js';
import { eachRecord, Segment, segmentName, segmentOfName, type Damage } from './segment.js';

/** So many bytes of a segment are in memory while it is read, unless a record is longer. */
const CHUNK = 1024 * 1024;

/**
 * Reads a log. What the checkpoint knows is taken from index files; the rest, in general the segment that was
 * written last, is read and applied again, and all of it where there is no checkpoint that fits. Deletes files of
 * segments that do not count: those of an earlier owner, which was told that nothing was written; and empty ones,
 * whose owner was killed before it had written to them.
 *
 * @param damaged is told of bytes that cannot be read.
 * @param isBeside whether another process may be writing it: segments are kept open, nothing is deleted, and what it
 * has not written as a whole yet is no damage.
 */
export function readLog(path: string, damaged: (damage: Damage) => void, { isBeside = false } = {}): LogIndex {
  let files: FoundFile[] = [];
  try {
    files = segmentFiles(path)
      .map((name) => ({ name, segment: segmentIn(path, name) }))
      // Only of the last one it may be that nothing was written to it yet.
      .filter(({ name, segment }, at, { length }) => {
        return segment ?? (at < length - 1 || usedBytes(readFileSync(join(path, name))) > 0);
      });
    checkNoneMissing(path, files);
    const index = readSegments(path, files, damaged, isBeside);
    const strays = readdirSync(path).filter((each) => segmentOfName(each) && !files.some(({ name }) => name === each));
    if (!isBeside) for (const name of strays) rmSync(join(path, name), { force: true });
    return index;
  } catch (error) {
    for (const { segment } of files) segment?.close();
    throw readingError(error, path);
  }
}

/** The files of a log's segments, oldest first; of two with one number that of the later claim counts. */
export function segmentFiles(path: string): string[] {
  const byNumber = new Map<number, { name: string; claim: number }>();
  for (const name of readdirSync(path)) {
    const { number, claim } = segmentOfName(name) ?? { number: 0, claim: 0 };
    if (claim > (byNumber.get(number)?.claim ?? 0)) byNumber.set(number, { name, claim });
  }
  return [...byNumber.values()].map(({ name }) => name).sort();
}

/** Refuses a folder whose jobs are in LMDB, as they were once. */
export function checkForm(path: string): void {
  if (!existsSync(join(path, 'data.mdb'))) return;
  throw new StorageError(
    'GEARMAN_STORAGE_INVALID',
    `${path} holds jobs in the form of LMDB: nestjs-gearman import --from lmdb ${path} --queue-path OTHER moves them into another folder`,
  );
}

/** A segment's file; its segment is missing where its header cannot be read. */
interface FoundFile {
  readonly name: string;
  readonly segment: Segment | undefined;
}

/** The oldest is always deleted first: between two that can be read none may be missing. */
function checkNoneMissing(path: string, files: readonly FoundFile[]): void {
  const numbers = files.map(({ name }) => segmentOfName(name)!.number);
  const readable = numbers.filter((_, at) => files[at]!.segment);
  const last = readable.at(-1) ?? 0;
  for (let number = readable[0] ?? 0; number < last; number++) {
    if (!numbers.includes(number)) throw damagedError(path, `segment ${number} of it is missing`);
  }
}

function readSegments(
  path: string,
  files: readonly FoundFile[],
  damaged: (damage: Damage) => void,
  isBeside: boolean,
): LogIndex {
  const seed = files.find(({ segment }) => segment)?.segment?.header.seed;
  const index = new LogIndex(path, seed ?? newSecret(), damaged);
  const found: Damage[] = [];
  if (isBeside) for (const { segment } of files) segment?.open();
  index.lastSegment = files.length > 0 ? segmentOfName(files.at(-1)!.name)!.number : 0;
  const segments = files.flatMap(({ name, segment }, at) => {
    const size = segment && isBeside ? segment.fileSize() : statSync(join(path, name)).size;
    if (!segment) {
      found.push(unreadable(path, name, size));
      return [];
    }
    const next = files[at + 1]?.segment?.header;
    segment.end = Math.max(HEADER_BYTES, next ? Math.min(size, next.previousEnd) : size);
    if (next && next.previousEnd > size) found.push(cutShort(segment, size, next.previousEnd));
    return [segment];
  });
  const last = segments.at(-1);
  const known = loadCheckpoint(path, segments, (segment, end) => {
    // Of any other the next one's header says it.
    if (segment === last) found.push(cutShort(segment, segment.end, end));
  });
  for (const segment of segments) {
    index.segments.push(segment);
    const state = known.get(segment);
    if (!state || !loadIndex(segment, index)) scan(segment, index, found, segment === last);
    if (state) segment.state = state;
  }
  index.recovered();
  for (const damage of found) {
    const isTail = damage.segment === last && damage.offset >= (last?.end ?? 0);
    if (!(isBeside && isTail)) damaged(damage);
  }
  return index;
}

/** Tells the index all that a segment says. @param isLast behind its records are zeros, or what was being written. */
function scan(segment: Segment, index: LogIndex, found: Damage[], isLast: boolean): void {
  const { end: size, header } = segment;
  segment.end = HEADER_BYTES;
  index.current = segment;
  let buffer = Buffer.allocUnsafe(CHUNK);
  for (let start = HEADER_BYTES; start < size;) {
    const wanted = Math.min(buffer.length, size - start);
    const bytes = segment.read(start, wanted, buffer);
    // Its owner may have cut off zeros behind it.
    if (bytes.length === 0) break;
    const isAll = bytes.length < wanted || start + wanted === size;
    let done = bytes.length;
    const told = {
      record: (offset: number, length: number) => {
        segment.addRecord(start + offset, length, firstNumber(bytes, offset));
        readRecord(bytes, offset, length, index);
      },
      damage: (offset: number, count: number) => {
        const isEnd = offset + count === bytes.length;
        // The beginning of a record, perhaps.
        if (isEnd && !isAll) done = offset;
        else found.push(...damageIn(segment, start + offset, bytes.subarray(offset, offset + count), isLast && isEnd));
      },
    };
    eachRecord(bytes, header.secret, told, isAll);
    // A record, or damage, that is longer than what was read.
    if (done === 0)
      buffer = Buffer.allocUnsafe(
        Math.max(buffer.length * 2, Math.min(claimedLength(bytes, 0, header.secret), size - start)),
      );
    start += done;
  }
}

/** What there is to tell of bytes that are no records; nothing of zeros at the end. */
function damageIn(segment: Segment, offset: number, bytes: Buffer, isEnd: boolean): Damage[] {
  const length = isEnd ? usedBytes(bytes) : bytes.length;
  if (length === 0) return [];
  const where = `${length} bytes at ${offset} of ${segmentName(segment.header)}`;
  const reason = `${where} are damaged, or were being written at a crash`;
  return [{ segment, offset, bytes: Buffer.from(bytes.subarray(0, length)), reason }];
}

function segmentIn(path: string, name: string): Segment | undefined {
  const descriptor = openSync(join(path, name), 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES);
    const header = headerIn(bytes.subarray(0, readSync(descriptor, bytes, 0, HEADER_BYTES, 0)), path);
    return header && new Segment(path, header);
  } finally {
    closeSync(descriptor);
  }
}

function unreadable(path: string, name: string, size: number): Damage {
  const header = { ...segmentOfName(name)!, first: 0, previousEnd: 0, seed: 0, secret: 0 };
  const segment = new Segment(path, header);
  const bytes = segment.read(0, size);
  segment.close();
  return { segment, offset: 0, bytes, reason: `${name} has no beginning that can be read: ${size} bytes` };
}

function cutShort(segment: Segment, size: number, end: number): Damage {
  const reason = `${segmentName(segment.header)} has ${size} bytes, and had ${end}`;
  return { segment, offset: size, bytes: Buffer.alloc(0), reason };
}

/** How many bytes there are before the zeros at the end. */
function usedBytes(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end;
}
