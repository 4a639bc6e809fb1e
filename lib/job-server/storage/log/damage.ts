import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CorruptRecord } from '../job-storage.js';
import type { LogIndex } from './log-index.js';
import { JOB, readRecord } from './record.js';
import type { Damage, Segment, Tally } from './segment.js';

/** What is done about bytes of the log that cannot be read: they are kept, named once, and no longer counted. */
export class DamageReport {
  private readonly reported = new Set<string>();
  /** The log they are of, once it is read. */
  index: LogIndex | undefined;

  /** @param tell is told what was set aside, and not within the call. */
  constructor(private readonly tell: (record: CorruptRecord) => void) {}

  /** Keeps bytes that cannot be read, and has them named. */
  setAside(damage: Damage): void {
    const { segment, offset, bytes, reason } = damage;
    const key = `damaged-${segment.header.number}-${offset}`;
    if (this.reported.has(key)) return;
    this.reported.add(key);
    const path = join(segment.folder, key);
    // Bytes that are kept already were told when they were found.
    const isKnown = existsSync(path);
    try {
      if (!isKnown) writeFileSync(path, bytes, { mode: 0o600 });
    } catch {
      // The bytes are in the segment still.
    }
    setImmediate(() => {
      const [functionName = functionIn(bytes)] = this.loseIfCan(segment, key);
      if (!isKnown) this.tell({ function: functionName, key, reason, bytes });
    });
  }

  /** The same, where the segment can be read; where not, it is tried once more when the damage is found again. */
  private loseIfCan(segment: Segment, key: string): string[] {
    try {
      return this.lose(segment);
    } catch {
      this.reported.delete(key);
      return [];
    }
  }

  /** Counts no longer what cannot be read of a segment; answers which functions have lost jobs by that. */
  private lose(segment: Segment): string[] {
    const { index } = this;
    if (!index?.segments.includes(segment)) return [];
    const readable = new Map<number, Tally>();
    const lost: number[] = [];
    for (let block = 0; block < segment.firsts.length; block++) {
      // Other damaged places are told as well: what is lost is not read again.
      const read = index.readBlock(segment, block);
      for (let number = read.items.first; number < read.items.next; number++) {
        if (!segment.isAlive(number)) continue;
        const item = read.item(number);
        const known =
          !item && segment.inMemory.has(number - segment.first) ? index.entries.ofNumber(number) : undefined;
        if (!item && !known) lost.push(number);
        const { kind, hasTime } = item ?? known?.stored ?? {};
        if (kind !== JOB) continue;
        const key = item?.queue ?? known!.queue.key;
        const tally = readable.get(key) ?? [0, 0];
        tally[0]++;
        if (hasTime) tally[1]++;
        readable.set(key, tally);
      }
    }
    for (const number of lost) segment.removeItem(number, 0);
    return recount(index, segment, readable);
  }
}

/** Counts what can be read of a segment in the place of what was there; answers which functions have fewer jobs. */
function recount(index: LogIndex, segment: Segment, readable: ReadonlyMap<number, Tally>): string[] {
  const functions: string[] = [];
  for (const [key, tally] of segment.tallies) {
    const [total, scheduled] = readable.get(key) ?? [0, 0];
    const queue = index.queueOf(key);
    if (total < tally[0]) functions.push(queue.functionName);
    queue.countWaiting([total - tally[0], scheduled - tally[1]]);
    segment.tallies.set(key, [total, scheduled]);
  }
  return functions;
}

/** The function of the first job in bytes that are damaged, if that can be read. */
function functionIn(bytes: Buffer): string {
  const names = new Map<number, string>();
  let found = '';
  try {
    readRecord(bytes, 0, bytes.length, {
      name: (id, text) => names.set(id, text),
      item: ({ queue }) => (found ||= names.get(queue >>> 2) ?? ''),
      over: () => undefined,
    });
  } catch {
    // What was read before will do.
  }
  return found;
}
