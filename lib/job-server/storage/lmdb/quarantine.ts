import type { StorageListener } from '../job-storage.js';
import { emitLeave, type FileChange, type FileWrite } from './file-change.js';
import type { JobQueue } from './job-queue.js';
import type { DamagedRecord } from './journal-recovery.js';
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
    this.mark(new SetAside(name, home, bytes.toString('latin1'), queue));
    this.tell(name, queue, reason, bytes);
  }

  /** Takes a pack, or what was marked of its jobs. How many jobs that concerns nobody knows. */
  takePack(table: 'packs' | 'marks', home: Home, { bytes, reason }: Unreadable, queue: JobQueue, size: number): void {
    const name = nameOf(table, home, queue);
    if (!this.isNew(name)) return;
    queue.doubt(table === 'marks' ? size : 0);
    this.mark(new PackSetAside(name, table, home, bytes.toString('latin1')));
    this.tell(name, queue, reason, bytes);
  }

  /** Takes a record of a journal: new jobs that did not come to the file. */
  takeJournaled({ key, reason, bytes }: DamagedRecord): void {
    this.mark(new JournaledSetAside(key, bytes.toString('latin1')));
    this.tell(key, undefined, reason, bytes);
  }

  private isNew(name: string): boolean {
    return this.names.size < this.names.add(name).size;
  }

  private tell(key: string, queue: JobQueue | undefined, reason: string, bytes: Buffer): void {
    const told = { function: queue?.functionName ?? '', key, reason, bytes };
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

/** Moves the bytes of a pack, or of its marks, to the quarantine. */
class PackSetAside implements FileChange {
  readonly queue = undefined;
  readonly home = undefined;

  constructor(
    private readonly name: string,
    private readonly table: 'packs' | 'marks',
    private readonly row: Home,
    private readonly record: string,
  ) {}

  get bytes(): number {
    return this.record.length;
  }

  prepare(): void {
    // Its bytes are what they are.
  }

  emit({ tables }: FileWrite): void {
    const { name, record, row, table } = this;
    void tables.quarantine.put(name, record);
    void tables.marks.remove(row);
    if (table === 'packs') void tables.packs.remove(row);
  }

  settle(): void {
    // Written, or written again: it holds nothing.
  }
}

/** Moves a record's bytes from their table to the quarantine. */
class SetAside implements FileChange {
  constructor(
    private readonly name: string,
    readonly home: Home,
    private readonly record: string,
    readonly queue: JobQueue | undefined,
  ) {}

  get bytes(): number {
    return this.record.length;
  }

  prepare(): void {
    // Its bytes are what they are.
  }

  emit(write: FileWrite): void {
    const { home, queue } = this;
    emitLeave(write, home);
    void write.tables.quarantine.put(this.name, this.record);
    queue?.countStored(home.time > 0, -1);
  }

  settle(): void {
    // Written, or written again: it holds nothing.
  }
}

/** Puts the bytes of a journal's record into the quarantine. */
class JournaledSetAside implements FileChange {
  readonly queue = undefined;
  readonly home = undefined;

  constructor(
    private readonly name: string,
    private readonly record: string,
  ) {}

  get bytes(): number {
    return this.record.length;
  }

  prepare(): void {
    // Its bytes are what they are.
  }

  emit({ tables }: FileWrite): void {
    void tables.quarantine.put(this.name, this.record);
  }

  settle(): void {
    // Written, or written again: it holds nothing.
  }
}
