import type { Batch } from './batch.js';
import type { Entry, EntryIndex, LogChange } from './entry.js';
import { DEAD, ENDED, ORIGIN, type Ended } from './record.js';

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
    private readonly entry: (handle: string) => Entry | undefined,
  ) {
    this.bytes = index.read(number)?.length ?? 0;
  }

  emit(batch: Batch): void {
    this.next = undefined;
    const { index, number } = this;
    const item = index.readIfCan(number);
    if (!item) return;
    const { kind, length, hasTime } = item;
    const source: Ended = { number, length, kind, hasTime };
    if (kind === ORIGIN) {
      batch.together(length + 64);
      batch.origin(item.handleName, source);
      return;
    }
    this.handle = index.handleOf(item);
    const entry = this.entry(this.handle);
    // Its own change is written with this batch or the next, and takes the item's place.
    if (entry && entry.saving !== 'saved') return;
    const queue = index.queueOf(item.queue);
    const job = item.job(queue.functionName, this.handle);
    const death = kind === DEAD ? { error: item.errorText, diedAt: item.time } : undefined;
    const outcome =
      kind === ENDED
        ? { state: item.errorText as 'complete' | 'failed', result: job.workload, keepUntil: item.time }
        : undefined;
    batch.together(length + 64);
    this.next = batch.put(kind, queue, job, source, death, outcome);
  }

  settle(isDurable: boolean): void {
    const { next } = this;
    if (!isDurable || !next) return;
    const entry = this.entry(this.handle);
    if (entry?.stored?.number !== this.number) return;
    entry.stored = next;
    this.index.hold(next.number);
  }
}
