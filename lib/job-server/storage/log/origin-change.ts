import type { Batch } from './batch.js';
import type { EntryIndex, LogChange } from './entry.js';
import { ORIGIN, type ItemReader } from './record.js';

/** An origin that is remembered, or with an item one that is forgotten. */
export class OriginChange implements LogChange {
  readonly bytes = 300;
  readonly isKept = true;

  constructor(
    private readonly origin: string | undefined,
    private readonly item: ItemReader | undefined,
    private readonly number: number,
    private readonly index: EntryIndex,
  ) {}

  get isAdding(): boolean {
    return this.origin !== undefined;
  }

  emit(batch: Batch): void {
    if (this.origin !== undefined) batch.note(ORIGIN, this.origin, '');
    else if (this.item) {
      batch.over({ number: this.number, length: this.item.length, kind: ORIGIN, hasTime: false }, 0);
    }
  }

  settle(isDurable: boolean): void {
    if (isDurable && this.item) this.index.forget(this.number, this.index.hashOfOrigin(this.item));
  }
}
