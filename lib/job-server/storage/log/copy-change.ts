import type { JobOutcome } from '../stored-job.js';
import type { Batch } from './batch.js';
import type { EntryIndex, LogChange } from './entry.js';
import { DEAD, ENDED, ORIGIN, SETTING, type Ended, type ItemReader } from './record.js';

/** What memory has of the log's items. */
export interface Memory {
  /** Whether the log is yet to be told what became of an item. */
  isChanging(item: ItemReader): boolean;
  /** The log has an item in another place. */
  moved(handle: string, from: number, to: Ended): void;
}

/** An item that is copied behind all others, so that its segment can be deleted. It stays where it can be leased. */
export class CopyChange implements LogChange {
  readonly bytes: number;
  readonly isAdding = true;
  readonly isKept = false;
  private handle = '';
  private next: Ended | undefined;

  constructor(
    private readonly number: number,
    private readonly index: EntryIndex,
    private readonly memory: Memory,
  ) {
    this.bytes = index.read(number)?.length ?? 0;
  }

  emit(batch: Batch): void {
    this.next = undefined;
    const { index, number } = this;
    const item = index.readIfCan(number);
    // What memory changes is written with this batch or the next, and takes the item's place.
    if (!item || this.memory.isChanging(item)) return;
    const { kind, length, hasTime } = item;
    const source: Ended = { number, length, kind, hasTime };
    if (kind === ORIGIN || kind === SETTING) {
      batch.note(kind, item.handleName, kind === SETTING ? item.text : '', source);
      return;
    }
    this.handle = index.handleOf(item);
    const queue = index.queueOf(item.queue);
    const job = item.job(queue.functionName, this.handle);
    const death = kind === DEAD ? { error: item.text, diedAt: item.time } : undefined;
    batch.together(length + 64);
    this.next = batch.put(kind, queue, job, source, death, kind === ENDED ? outcomeOf(item) : undefined);
  }

  settle(isDurable: boolean): void {
    if (isDurable && this.next) this.memory.moved(this.handle, this.number, this.next);
  }
}

/** How an ended job is remembered. */
export function outcomeOf(item: ItemReader): JobOutcome {
  return { state: item.text as JobOutcome['state'], result: item.workload, keepUntil: item.time };
}
