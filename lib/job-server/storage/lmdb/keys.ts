import { createHash } from 'node:crypto';
import { counterLength } from '../../engine/index.js';

/**
 * The keys of the file's tables. LMDB sorts them as bytes, so numbers are
 * written big-endian: what comes first in time comes first in the table.
 */

/** How a table's keys are written and read: what `lmdb` calls a key encoder. */
export interface KeyCodec<Key> {
  /** Writes a key; answers where it ends. */
  writeKey(key: Key, target: Buffer, start: number): number;
  readKey(source: Buffer, start: number, end: number): Key;
}

/** Where a record stands in its table. */
export interface Home {
  readonly table: 'jobs' | 'dead' | 'ended';
  /** When the job may run (0: at once), when it died, until when its result is kept. */
  readonly time: number;
  readonly sequence: number;
  /** The function's number and the priority; 0 outside of `jobs`, where they are no part of the key. */
  readonly functionId: number;
  readonly priority: number;
  /** The pack that holds it; missing where it has a row of its own. */
  pack: PackName | undefined;
  /** Its place in the pack, counted from 0. */
  index: number;
}

/** A row of `packs`: jobs of one queue that were written together. */
export interface PackName {
  /** The home of its first job, which is the row's key. */
  readonly home: Home;
  /** How many jobs it was written with. */
  readonly size: number;
  readonly firstHandle: string;
}

export function isSameHome(one: Home, other: Home): boolean {
  return one.table === other.table && one.time === other.time && one.sequence === other.sequence;
}

/** A waiting or leased job's home; its row's key, if it has one of its own. */
export function jobHome(functionId: number, priority: number, time: number, sequence: number): Home {
  return { table: 'jobs', time, sequence, functionId, priority, pack: undefined, index: 0 };
}

/** A dead letter's or a result's home. */
export function pastHome(table: 'dead' | 'ended', time: number, sequence: number): Home {
  return { table, time, sequence, functionId: 0, priority: 0, pack: undefined, index: 0 };
}

/** `jobs`: function, priority, time, sequence, so that a queue is a range, oldest first. */
export const jobKeys: KeyCodec<Home> = {
  writeKey({ functionId, priority, time, sequence }, target, start) {
    target.writeUInt32BE(functionId, start);
    target[start + 4] = priority;
    return writeMoment(target, start + 5, time, sequence);
  },
  readKey(source, start) {
    const functionId = source.readUInt32BE(start);
    return jobHome(functionId, source[start + 4] as number, readTime(source, start + 5), readTime(source, start + 11));
  },
};

/** `dead` and `ended`: time, sequence. */
export function pastKeys(table: 'dead' | 'ended'): KeyCodec<Home> {
  return {
    writeKey: ({ time, sequence }, target, start) => writeMoment(target, start, time, sequence),
    readKey: (source, start) => pastHome(table, readTime(source, start), readTime(source, start + 6)),
  };
}

/**
 * `handles`: the handle, with the number of its counter's digits before them.
 * So `H:host:9` stands before `H:host:10`, and new handles are always appended,
 * which fills LMDB's pages; sorted as text they would fall between old ones and
 * leave every page half empty.
 */
export const handleKeys: KeyCodec<string> = {
  writeKey(handle, target, start) {
    const { length } = handle;
    const digits = counterLength(handle);
    const counter = length - digits;
    for (let index = 0; index < counter; index++) target[start + index] = handle.charCodeAt(index);
    target[start + counter] = digits;
    for (let index = counter; index < length; index++) target[start + index + 1] = handle.charCodeAt(index);
    return start + length + 1;
  },
  readKey(source, start, end) {
    const key = source.toString('latin1', start, end);
    let digits = 0;
    while (key.charCodeAt(key.length - 1 - digits) !== digits) digits++;
    return key.slice(0, key.length - 1 - digits) + key.slice(key.length - digits);
  },
};

/** Whether a handle is the same as another up to its counter, which is higher: then it stands behind it in `handles`. */
export function isLaterHandle(handle: string, other: string): boolean {
  const digits = counterLength(handle);
  const otherDigits = counterLength(other);
  const counter = handle.length - digits;
  if (counter !== other.length - otherDigits || !handle.startsWith(other.slice(0, counter))) return false;
  return digits === otherDigits ? handle > other : digits > otherDigits;
}

/** A function and a unique. */
export interface UniqueName {
  readonly functionId: number;
  readonly unique: string;
}

/** Up to this length a unique is its own key; LMDB's keys are bounded. */
const MAX_PLAIN_UNIQUE_BYTES = 200;

const PLAIN = 0;
const HASHED = 1;

/** `uniques`: the function, and the unique or the SHA-256 of a long one. Nobody reads these keys. */
export const uniqueKeys: Pick<KeyCodec<UniqueName>, 'writeKey'> = {
  writeKey({ functionId, unique }, target, start) {
    const isPlain = unique.length <= MAX_PLAIN_UNIQUE_BYTES;
    target.writeUInt32BE(functionId, start);
    target[start + 4] = isPlain ? PLAIN : HASHED;
    if (isPlain) return start + 5 + target.write(unique, start + 5, 'latin1');
    return (
      start +
      5 +
      createHash('sha256')
        .update(unique, 'latin1')
        .digest()
        .copy(target, start + 5)
    );
  },
};

/** `functions`: the name. */
export const nameKeys: KeyCodec<string> = {
  writeKey: (name, target, start) => start + target.write(name, start, 'latin1'),
  readKey: (source, start, end) => source.toString('latin1', start, end),
};

/** `counts`: function, priority. */
export const queueKeys: KeyCodec<{ readonly functionId: number; readonly priority: number }> = {
  writeKey({ functionId, priority }, target, start) {
    target.writeUInt32BE(functionId, start);
    target[start + 4] = priority;
    return start + 5;
  },
  readKey: (source, start) => ({ functionId: source.readUInt32BE(start), priority: source[start + 4] as number }),
};

function writeMoment(target: Buffer, start: number, time: number, sequence: number): number {
  writeTime(target, start, time);
  writeTime(target, start + 6, sequence);
  return start + 12;
}

/** 48 bits, as `Buffer.writeUIntBE` writes them, at a third of its cost. */
function writeTime(target: Buffer, start: number, value: number): void {
  const high = Math.floor(value / 0x1_0000_0000);
  target[start] = high >>> 8;
  target[start + 1] = high & 0xff;
  target[start + 2] = (value >>> 24) & 0xff;
  target[start + 3] = (value >>> 16) & 0xff;
  target[start + 4] = (value >>> 8) & 0xff;
  target[start + 5] = value & 0xff;
}

function readTime(source: Buffer, start: number): number {
  return source.readUIntBE(start, 6);
}
