import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../waiting-list.js';
import { damagedError, storageError } from './file-errors.js';
import { loadCheckpoint, loadIndex } from './index-file.js';
import { LogIndex } from './log-index.js';
import { firstNumber, HEADER_BYTES, headerIn, newSecret, readRecord, type SegmentHeader } from './record.js';
import { eachRecord, Segment, segmentName, segmentOfName, type Damage } from './segment.js';

/** A log as it was found. */
export interface FoundLog<Waiting extends Place> {
  readonly index: LogIndex<Waiting>;
  /**
   * Files of segments that are none: another owner's, who was told that it is
   * none; and empty ones, whose owner was killed before it had written to them.
   */
  readonly strays: readonly string[];
}

/**
 * Reads a log. What the checkpoint knows is taken from index files; the rest,
 * in general the segment that was written last, is read and applied again, and
 * all of it where these do not fit.
 *
 * @param damaged is told of bytes that cannot be read.
 * @param isBeside whether another process may be writing it: segments are kept open, and what it has not written as a
 * whole yet is no damage.
 */
export function readLog<Waiting extends Place>(
  path: string,
  damaged: (damage: Damage) => void,
  { isBeside = false } = {},
): FoundLog<Waiting> {
  try {
    const { names, strays } = segmentFiles(path);
    const found = names.map((name) => ({ name, header: headerOf(join(path, name), path) }));
    const files = found.filter(({ name, header }) => header ?? usedBytes(readFileSync(join(path, name))) > 0);
    for (const { name, header } of found) if (!header && !files.some((file) => file.name === name)) strays.push(name);
    checkNoneMissing(path, files);
    return {
      index:
        readSegments<Waiting>(path, files, damaged, isBeside, true) ??
        readSegments<Waiting>(path, files, damaged, isBeside, false)!,
      strays,
    };
  } catch (error) {
    throw storageError(error, path);
  }
}

/** The files of a log's segments, oldest first; of two of one number the later claim's is it. */
export function segmentFiles(path: string): { names: string[]; strays: string[] } {
  const byNumber = new Map<number, { name: string; claim: number }>();
  const strays: string[] = [];
  for (const name of readdirSync(path)) {
    const segment = segmentOfName(name);
    if (!segment) continue;
    const other = byNumber.get(segment.number);
    const isLater = !other || other.claim < segment.claim;
    if (other) strays.push(isLater ? other.name : name);
    if (isLater) byNumber.set(segment.number, { name, claim: segment.claim });
  }
  const numbers = [...byNumber.keys()].sort((one, other) => one - other);
  return { names: numbers.map((number) => byNumber.get(number)!.name), strays };
}

/** A segment's file; its header is missing where that cannot be read. */
interface FoundFile {
  readonly name: string;
  readonly header: SegmentHeader | undefined;
}

/** The oldest is always deleted first: between two that can be read none may be missing. */
function checkNoneMissing(path: string, files: readonly FoundFile[]): void {
  const numbers = files.map(({ name }) => segmentOfName(name)!.number);
  const readable = numbers.filter((_, at) => files[at]!.header);
  const last = readable.at(-1) ?? 0;
  for (let number = readable[0] ?? 0; number < last; number++) {
    if (!numbers.includes(number)) throw damagedError(path, `segment ${number} of it is missing`);
  }
}

/** Undefined when index files do not fit: then all of the log is to be read. */
function readSegments<Waiting extends Place>(
  path: string,
  files: readonly FoundFile[],
  damaged: (damage: Damage) => void,
  isBeside: boolean,
  withIndexes: boolean,
): LogIndex<Waiting> | undefined {
  const headers = files.map(({ header }) => header);
  const seed = headers.find((header) => header)?.seed ?? newSecret();
  const index = new LogIndex<Waiting>(path, seed, damaged);
  const found: Damage[] = [];
  const made = headers.map((header) => header && new Segment(path, header));
  if (isBeside) {
    index.keepsOpen = true;
    for (const segment of made) segment?.open();
  }
  index.lastSegment = files.length > 0 ? segmentOfName(files.at(-1)!.name)!.number : 0;
  const segments = files.flatMap(({ name }, at) => {
    const segment = made[at];
    const size = segment && isBeside ? segment.fileSize() : statSync(join(path, name)).size;
    if (!segment) {
      found.push(unreadable(path, name, size));
      return [];
    }
    const next = headers[at + 1];
    segment.end = Math.max(HEADER_BYTES, next ? Math.min(size, next.previousEnd) : size);
    if (next && next.previousEnd > size) found.push(cutShort(segment, size, next.previousEnd));
    return [segment];
  });
  const replayFrom = withIndexes ? loadCheckpoint(path, segments) : 0;
  for (const segment of segments) {
    index.segments.push(segment);
    if (segment.header.number >= replayFrom) scan(segment, index, found, segment === segments.at(-1));
    else if (!loadIndex(segment, index)) {
      index.close();
      return undefined;
    }
  }
  index.recovered();
  const last = segments.at(-1);
  for (const damage of found) {
    const isTail = damage.segment === last && damage.offset >= (last?.end ?? 0);
    if (!(isBeside && isTail)) damaged(damage);
  }
  return index;
}

/** Tells the index all that a segment says. @param isLast behind its records are zeros, or what was being written. */
function scan(segment: Segment, index: LogIndex, found: Damage[], isLast: boolean): void {
  const bytes = segment.read(HEADER_BYTES, segment.end - HEADER_BYTES);
  segment.end = HEADER_BYTES;
  index.current = segment;
  eachRecord(bytes, segment.header.secret, {
    record: (offset, length) => {
      segment.addRecord(HEADER_BYTES + offset, length, firstNumber(bytes, offset));
      readRecord(bytes, offset, length, index);
    },
    damage: (offset, count) => {
      const isEnd = isLast && offset + count === bytes.length;
      const length = isEnd ? usedBytes(bytes.subarray(offset)) : count;
      if (length === 0) return;
      found.push({
        segment,
        offset: HEADER_BYTES + offset,
        bytes: Buffer.from(bytes.subarray(offset, offset + length)),
        reason: `${length} bytes at ${HEADER_BYTES + offset} of ${segmentName(segment.header)} are damaged, or were being written at a crash`,
      });
    },
  });
}

function headerOf(file: string, path: string): SegmentHeader | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(HEADER_BYTES);
    return headerIn(bytes.subarray(0, readSync(descriptor, bytes, 0, HEADER_BYTES, 0)), path);
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

/** Deletes what is no segment of the log's. */
export function removeStrays(path: string, strays: readonly string[]): void {
  for (const name of strays) rmSync(join(path, name), { force: true });
}
