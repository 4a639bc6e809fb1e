import type { Adder } from '../../job-storage.js';
import { closedError, StorageError } from '../../storage-error.js';
import { tellStored } from '../../adders.js';
import type { FileChange } from '../file-change.js';
import { storageError } from '../file-errors.js';
import { GroupCommit, type CommitHost } from '../../group-commit.js';
import type { JobEntry } from '../job-entry.js';
import type { JobFile } from '../job-file.js';
import type { Journal } from './journal.js';

/** Larger jobs go to the file of jobs at once, in bytes. */
const MAX_JOB_BYTES = 64 * 1024;

/** With more that waits for the disk at once, in bytes, a commit of the file of jobs costs less than writing it twice. */
const MAX_CROWD_BYTES = 256 * 1024;

/** So many jobs do not wait any longer for their way to the file of jobs: they fill memory, and hold all others up when they go. */
const ENOUGH = 512;

/**
 * Nor is anything gained where the file of jobs cannot keep up: what is this far ahead of it waits for it. After a crash
 * all that was ahead is looked up in the file, one by one, before the first job is given out.
 */
const MAX_AHEAD = 4_096;

/**
 * Brings new jobs into the journal, many at once, and from there on their way
 * to the file of jobs:
 *
 *   mark --> journal --durable, told--> file of jobs, soon
 *               |
 *               +--full, failed--> file of jobs, at once; told when it has them
 */
export class JournalWriter implements CommitHost<JobEntry> {
  private readonly group = new GroupCommit<JobEntry>(this, 0);

  constructor(
    private readonly journal: Journal,
    private readonly file: JobFile,
    private readonly path: string,
    private readonly commit: GroupCommit<FileChange>,
    /** Is told of entries that are over, and were nowhere but in the journal. */
    private readonly over: (entry: JobEntry) => void,
  ) {}

  /** Has a job written that somebody waits for, unless it is one for the file of jobs. */
  take(entry: JobEntry): boolean {
    if (!this.journal.isTrusted || !entry.isNew || entry.bytes > MAX_JOB_BYTES) return false;
    if (this.commit.backlog >= MAX_AHEAD) return false;
    const crowd = this.group.crowd + this.commit.crowd;
    // As if all were like this one.
    if (crowd * entry.bytes >= MAX_CROWD_BYTES) return false;
    this.group.mark(entry, true);
    return true;
  }

  /** True when so much waits that who adds more should wait too. */
  get isBehind(): boolean {
    return this.group.isBehind;
  }

  /** Resolves when it is no longer behind. */
  async caughtUp(): Promise<void> {
    await this.group.caughtUp();
  }

  /** Lets an entry be. */
  unmark(entry: JobEntry): void {
    this.group.unmark(entry);
  }

  /** Resolves when all that was taken is in the journal, or on its way to the file of jobs. */
  async flush(): Promise<void> {
    await this.group.flush().catch(() => undefined);
  }

  async stop(): Promise<void> {
    await this.group.stop();
  }

  async write(items: readonly JobEntry[]): Promise<void> {
    await this.commit.caughtUp();
    // Those that were changed meanwhile are on their way to the file of jobs.
    const entries = items.filter((entry) => entry.isNew && entry.adder);
    if (entries.length === 0) return;
    for (const entry of entries) entry.isAppending = true;
    try {
      // Who takes the folder over claims it first, and reads this journal then.
      const hasRoom = await this.journal.append(entries, () => this.file.checkOwner());
      if (!hasRoom) throw new StorageError('GEARMAN_STORAGE_FULL', 'the journal is full');
    } catch (error) {
      throw storageError(error, this.path);
    }
  }

  settled(items: readonly JobEntry[]): void {
    const adders: Adder[] = [];
    for (const entry of items) {
      const adder = entry.journaled && entry.takeAdder();
      if (adder) adders.push(adder);
      this.handOver(entry, !entry.journaled);
    }
    tellStored(adders);
    this.commit.writeFrom(ENOUGH);
  }

  failed(items: readonly JobEntry[]): readonly JobEntry[] {
    for (const entry of items) this.handOver(entry, true);
    return [];
  }

  dropped(items: readonly JobEntry[]): void {
    for (const entry of items) if (entry.adder) entry.tellRefused(closedError());
  }

  trouble(): void {
    // Whether it works, and what is wrong, is the file of jobs' to say.
  }

  private handOver(entry: JobEntry, isUrgent: boolean): void {
    // Not before: what the file of jobs does meanwhile depends on it.
    entry.isAppending = false;
    if (entry.isNothing) this.over(entry);
    else if (entry.isDirty) this.commit.mark(entry, isUrgent);
  }
}
