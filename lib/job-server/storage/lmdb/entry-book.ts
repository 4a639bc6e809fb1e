import type { Holder, JobEntry } from './job-entry.js';
import type { JobReader } from './job-reader.js';

/**
 * What is known of jobs: what memory holds of them, and behind it the file.
 *
 * Memory comes first: it has what is not written yet.
 */
export class EntryBook {
  private readonly byHandle = new Map<string, Holder>();
  /** Who has a unique, until the file knows. */
  private readonly byUnique = new Map<string, JobEntry>();

  private areUniquesDoubtful = false;

  constructor(private readonly reader: JobReader) {}

  /** What memory holds. */
  get(handle: string): JobEntry | undefined {
    return this.byHandle.get(handle)?.entry;
  }

  /** What memory or the file holds. */
  find(handle: string): JobEntry | undefined {
    return this.get(handle) ?? this.reader.find(handle);
  }

  /** The entry that had a unique last; its job may be over. */
  findByUnique(functionId: number, unique: string): JobEntry | undefined {
    const recent = this.byUnique.get(mapKey(functionId, unique));
    if (recent) return recent;
    const handle = this.reader.handleOfUnique(functionId, unique);
    const entry = handle === undefined ? undefined : this.find(handle);
    return entry?.job.unique === unique && entry.queue.functionId === functionId ? entry : undefined;
  }

  /** Holds an entry in memory until it is idle. */
  hold(entry: JobEntry): void {
    if (entry.holder) return;
    entry.holder = { entry };
    this.byHandle.set(entry.handle, entry.holder);
  }

  /** A new job has taken a unique; `previous` is whose it was. */
  takeUnique(entry: JobEntry, previous: JobEntry | undefined): void {
    if (previous) previous.ownsUnique = false;
    this.byUnique.set(mapKey(entry.queue.functionId, entry.job.unique), entry);
  }

  /** Jobs may have a unique that a later one has as well: the end of one did not come to the file before a crash. */
  doubtUniques(): void {
    this.areUniquesDoubtful = true;
  }

  /** A job leaves its queue; answers whether its unique goes with it. */
  isOwnerOfUnique(entry: JobEntry): boolean {
    const { queue, job } = entry;
    if (!entry.ownsUnique || job.unique === '' || !this.areUniquesDoubtful) return entry.ownsUnique;
    const owner = this.byUnique.get(mapKey(queue.functionId, job.unique))?.handle;
    return (owner ?? this.reader.handleOfUnique(queue.functionId, job.unique)) === entry.handle;
  }

  /** The file is as memory was: forgets what nothing holds. */
  settle(entry: JobEntry): void {
    const { unique } = entry.job;
    if (unique !== '') {
      const key = mapKey(entry.queue.functionId, unique);
      if (this.byUnique.get(key) === entry) this.byUnique.delete(key);
    }
    this.letGo(entry);
  }

  /** Forgets an entry that nothing holds. */
  letGo(entry: JobEntry): void {
    if (!entry.holder || !entry.isIdle) return;
    this.byHandle.delete(entry.handle);
    entry.holder.entry = entry.holder = undefined;
  }
}

function mapKey(functionId: number, unique: string): string {
  return `${functionId}:${unique}`;
}
