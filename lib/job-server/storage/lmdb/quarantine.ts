import type { StorageListener } from '../job-storage.js';
import type { FileChange } from './file-change.js';
import type { JobQueue } from './job-queue.js';
import type { Home } from './keys.js';
import type { Unreadable } from './record-check.js';
import type { Tables } from './tables.js';

/** Takes records that cannot be read out of their queues, keeps their bytes, and has them named. */
export class Quarantine {
  /** What was taken in since the file was opened: the file may show a record again until that is written. */
  private readonly names = new Set<string>();

  constructor(
    private readonly mark: (change: FileChange) => void,
    private readonly listener: StorageListener,
  ) {}

  /** @param queue the one it is counted in; missing for a dead letter or a result. */
  take(home: Home, { bytes, reason }: Unreadable, queue: JobQueue | undefined): void {
    const name = `${home.table}:${queue?.functionName ?? ''}:${home.time}:${home.sequence}`;
    if (this.names.has(name)) return;
    this.names.add(name);
    queue?.count({ at: home.time, sequence: home.sequence }, -1);
    if (queue && home.time === 0) queue.waiting--;
    this.mark(new SetAside(name, home, bytes.toString('latin1'), queue));
    const told = { function: queue?.functionName ?? '', key: name, reason, bytes };
    setImmediate(() => this.listener.setAside(told));
  }
}

/** Moves a record's bytes from their table to the quarantine. */
class SetAside implements FileChange {
  constructor(
    private readonly name: string,
    private readonly home: Home,
    private readonly record: string,
    readonly queue: JobQueue | undefined,
  ) {}

  get bytes(): number {
    return this.record.length;
  }

  prepare(): void {
    // Its bytes are what they are.
  }

  emit(tables: Tables): void {
    const { home, queue } = this;
    void tables[home.table].remove(home);
    void tables.quarantine.put(this.name, this.record);
    queue?.countStored(home.time > 0, -1);
  }

  settle(): void {
    // Written, or written again: it holds nothing.
  }
}
