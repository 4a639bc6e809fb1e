import type { Place } from '../waiting-list.js';
import { jobHome, type Home } from './keys.js';
import type { ReadTransaction } from './lmdb-package.js';
import { Marks } from './packs/marks.js';
import { packIn } from './packs/pack.js';
import { Unreadable } from './record-check.js';
import type { JobRecord } from './record-codec.js';
import type { Tables } from './tables.js';

/** The latest time, and the last sequence: 48 bits. */
export const LAST = 2 ** 48 - 1;

/** Before all jobs of a queue, and behind them. */
export const BEFORE_ALL: Place = { at: 0, sequence: 0 };
export const BEHIND_ALL: Place = { at: LAST, sequence: LAST };

/** A job as the file has it. */
export interface Row {
  readonly home: Home;
  readonly record: JobRecord | Unreadable;
}

/** What a queue's keys begin with. */
export interface QueueKey {
  readonly functionId: number;
  readonly priority: number;
}

/** A part of a queue. */
export interface Part {
  readonly after: Place;
  readonly before: Place;
  /** Of that moment, not of the present one. */
  readonly transaction?: ReadTransaction;
}

/** What becomes of a pack, or of its marks, that cannot be read. */
export type PackDamage = (table: 'packs' | 'marks', home: Home, row: Unreadable, size: number) => void;

/** The jobs in a part of a queue, in their order: those with rows of their own, and those in packs. */
export function* queueRows(tables: Tables, queue: QueueKey, part: Part, damage: PackDamage): Generator<Row> {
  const packed = part.after.at > 0 ? undefined : packedRows(tables, queue, part, damage);
  try {
    let nextPacked = packed?.next();
    for (const row of singleRows(tables, queue, part)) {
      while (nextPacked && !nextPacked.done && isAhead(nextPacked.value.home, row.home)) {
        yield nextPacked.value;
        nextPacked = packed?.next();
      }
      yield row;
    }
    if (!packed || !nextPacked || nextPacked.done) return;
    yield nextPacked.value;
    yield* packed;
  } finally {
    // Left as it is it would hold its snapshot of the file for ever, and the file would grow with every write.
    packed?.return(undefined);
  }
}

/** What became of a pack's jobs. */
export function marksOf(tables: Tables, home: Home, size: number, damage: PackDamage, at?: ReadTransaction): Marks {
  // A file of an older format that is only read has no such table.
  const marks = (tables.marks as Tables['marks'] | undefined)?.get(home, { transaction: at });
  if (marks instanceof Marks) return marks;
  // As it is not known which have ended they run again, rather than be lost.
  if (marks) damage('marks', home, marks, size);
  return Marks.none(size);
}

/** The jobs that are left of a pack. */
export function* packRows(
  tables: Tables,
  home: Home,
  bytes: Buffer,
  damage: PackDamage,
  transaction?: ReadTransaction,
): Generator<Row> {
  const pack = packIn(bytes, home);
  if (pack instanceof Unreadable) {
    damage('packs', home, pack, 0);
    return;
  }
  const { size } = pack.name;
  const marks = marksOf(tables, home, size, damage, transaction);
  for (let index = 0; index < size; index++) {
    if (marks.isGone(index)) continue;
    const record = pack.recordAt(index);
    yield { home: pack.homeAt(index), record: record instanceof Unreadable ? record : marks.applied(index, record) };
  }
}

function* singleRows({ jobs }: Tables, queue: QueueKey, { after, before, transaction }: Part): Generator<Row> {
  const start = homeIn(queue, after.at, after.sequence + 1);
  const end = homeIn(queue, before.at, before.sequence);
  for (const { key, value } of jobs.getRange({ start, end, transaction })) yield { home: key, record: value };
}

function* packedRows(tables: Tables, queue: QueueKey, part: Part, damage: PackDamage): Generator<Row> {
  const packs = tables.packs as Tables['packs'] | undefined;
  if (!packs) return;
  const { after, transaction } = part;
  const end = part.before.at > 0 ? homeIn(queue, 1, 0) : homeIn(queue, 0, part.before.sequence);
  for (const { key, value } of packs.getRange({ start: firstPack(tables, queue, part), end, transaction })) {
    for (const row of packRows(tables, key, value, damage, transaction)) {
      if (row.home.sequence > after.sequence && isAhead(row.home, end)) yield row;
    }
  }
}

/** The key of the pack that may hold the first job behind a place. */
function firstPack({ packs }: Tables, queue: QueueKey, { after, transaction }: Part): Home {
  const start = homeIn(queue, 0, after.sequence + 1);
  if (after.sequence === 0) return start;
  const range = { start, end: homeIn(queue, 0, 0), reverse: true, limit: 1, transaction };
  for (const key of packs.getKeys(range)) return key;
  return start;
}

/** Whether a job in a pack, which has no time, comes before another one. */
function isAhead(packed: Home, { time, sequence }: Home): boolean {
  return time > 0 || packed.sequence < sequence;
}

function homeIn({ functionId, priority }: QueueKey, time: number, sequence: number): Home {
  return jobHome(functionId, priority, time, sequence);
}
