import type { StorageListener } from '../job-storage.js';
import { emitLeave, FixedChange, type FileChange, type FileWrite } from './file-change.js';
import type { JobQueue } from './job-queue.js';
import type { DamagedRecord } from './journal/journal-recovery.js';
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
    const name = nameOf(home.table, home, queue);
    if (!this.isNew(name)) return;
    queue?.count({ at: home.time, sequence: home.sequence }, -1);
    if (queue && home.time === 0) queue.waiting--;
    this.keep(name, queue, reason, bytes, home, (write) => {
      emitLeave(write, home);
      queue?.countStored(home.time > 0, -1);
    });
  }

  /** Takes a pack, or what was marked of its jobs. How many jobs that concerns nobody knows. */
  takePack(table: 'packs' | 'marks', home: Home, { bytes, reason }: Unreadable, queue: JobQueue, size: number): void {
    const name = nameOf(table, home, queue);
    if (!this.isNew(name)) return;
    queue.doubt(table === 'marks' ? size : 0);
    this.keep(name, queue, reason, bytes, undefined, ({ tables }) => {
      void tables.marks.remove(home);
      if (table === 'packs') void tables.packs.remove(home);
    });
  }

  /** Takes a record of a journal: new jobs that did not come to the file. */
  takeJournaled({ key, reason, bytes }: DamagedRecord): void {
    this.keep(key, undefined, reason, bytes);
  }

  private isNew(name: string): boolean {
    return this.names.size < this.names.add(name).size;
  }

  /** Has a record's bytes put into the quarantine, and what else `emit` does with the same write; and has it named. */
  private keep(
    name: string,
    queue: JobQueue | undefined,
    reason: string,
    bytes: Buffer,
    home?: Home,
    emit: (write: FileWrite) => void = () => undefined,
  ): void {
    const record = bytes.toString('latin1');
    const move = (write: FileWrite): void => {
      emit(write);
      void write.tables.quarantine.put(name, record);
    };
    this.mark(new FixedChange(move, record.length, queue, home));
    const told = { function: queue?.functionName ?? '', key: name, reason, bytes };
    setImmediate(() => this.listener.setAside(told));
  }
}

/** Whether packs, or what was marked of their jobs, were ever set aside: nobody can tell how many jobs that were. */
export function hasLostPacks({ quarantine }: Tables): boolean {
  return ['marks:', 'packs:'].some((start) => {
    const [first] = quarantine.getKeys({ start, limit: 1 });
    return first?.startsWith(start) ?? false;
  });
}

function nameOf(table: string, { time, sequence }: Home, queue: JobQueue | undefined): string {
  return `${table}:${queue?.functionName ?? ''}:${time}:${sequence}`;
}
