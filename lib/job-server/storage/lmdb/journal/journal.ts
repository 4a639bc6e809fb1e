import { randomInt } from 'node:crypto';
import { closeSync, fdatasync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { StoredJob } from '../../stored-job.js';
import { syncFolders } from '../../folder.js';
import { journalBytes, type JournalSeed } from './journal-record.js';

const sync = promisify(fdatasync);

/** The file's size at most, and by how much it grows, in bytes. */
const MAX_BYTES = 8 * 1024 * 1024;
const GROWTH = 256 * 1024;
/** Records begin at a page of their own, so that none is written to again once it is durable. */
export const PAGE = 4_096;

/** Up to where a journal needs not be read any more: stands in the file of jobs, which has what was before. */
export interface JournalMark {
  /** Whose journal it is. */
  readonly claim: number;
  /** The last record that is not needed. */
  readonly number: number;
}

/** Jobs that were written to the journal together, and are not all in the file of jobs yet. */
export interface Journaled {
  readonly number: number;
  readonly start: number;
  readonly end: number;
  /** How many of them are not there. */
  open: number;
  /** How many of these are in the write that is being made. */
  coming: number;
}

/** What is written to the journal: a new job. */
export interface Journalable {
  readonly job: StoredJob;
  /** With what it was written; missing when it never was, or the file of jobs has it. */
  journaled: Journaled | undefined;
}

/** How much of the file so many bytes take. */
export function pagesOf(bytes: number): number {
  return Math.ceil(bytes / PAGE) * PAGE;
}

/**
 * Where new jobs are made durable first: one write in a row and one fdatasync,
 * a third of what a commit of LMDB's takes. The file of jobs gets them soon
 * after, many together, and says with them up to where the journal is not
 * needed any more.
 *
 *   [ not needed | needed: first ... last | free ]   and around
 *
 * Each owner has a journal of its own, so that one that was overtaken cannot
 * write into its successor's.
 */
export class Journal {
  /**
   * False from when the file of jobs could not be written until it has taken a
   * new job again: the journal has room of its own, and would take jobs for
   * which there is none.
   */
  isTrusted = true;
  private file: number | undefined;
  /** The folder has the file's name on disk. */
  private isNamed = false;
  /** The bytes that were written ever. */
  private size = 0;
  private number = 0;
  private head = 0;
  /** What is still needed, oldest first. */
  private readonly needed: Journaled[] = [];
  private earlier: readonly string[] = [];
  private readonly path: string;
  private readonly seed: JournalSeed = randomInt(2 ** 32);

  constructor(
    private readonly folder: string,
    private readonly claim: number,
  ) {
    this.path = join(folder, `journal-${claim}-${this.seed.toString(16)}`);
  }

  /** Whether there is something that the file of jobs has not, or does not say that it has. */
  get isNeeded(): boolean {
    return this.needed.length > 0;
  }

  /** Whether it is known that the file of jobs has more than it says. */
  get isOutdated(): boolean {
    return this.needed[0]?.open === 0;
  }

  /** Jobs that earlier journals have, whose files are deleted when they are not needed any more. */
  recovered(jobs: readonly Journalable[], files: readonly string[], isDamaged: boolean): void {
    this.earlier = files;
    if (jobs.length > 0 || isDamaged) this.need({ number: 0, start: 0, end: 0, open: 0, coming: 0 }, jobs);
    else this.forgetEarlier();
  }

  /**
   * Writes new jobs; resolves when they are on disk, with false where there is no room.
   * Rejects with the file system's error, or with what `check` throws then: they are not to be taken for accepted.
   */
  async append(entries: readonly Journalable[], check: () => void = () => undefined): Promise<boolean> {
    const jobs = entries.map(({ job }) => job);
    const bytes = journalBytes(this.number + 1, this.seed, jobs);
    const start = this.placeOf(pagesOf(bytes.length));
    if (start === undefined) return false;
    const end = start + pagesOf(bytes.length);
    this.file ??= openSync(this.path, 'wx+', 0o600);
    if (!this.isNamed) syncFolders([this.folder]);
    this.isNamed = true;
    this.grow(this.file, end);
    this.head = end;
    const journaled = { number: ++this.number, start, end, open: 0, coming: 0 };
    this.need(journaled, entries);
    try {
      if (writeSync(this.file, bytes, 0, bytes.length, start) !== bytes.length) throw new Error('it was cut short');
      await sync(this.file);
      check();
    } catch (error) {
      await this.annul(this.file, journaled, entries);
      throw error;
    }
    return true;
  }

  /** A job is over that the file of jobs needs not be told of. */
  drop(entry: Journalable): void {
    if (entry.journaled) entry.journaled.open--;
    entry.journaled = undefined;
  }

  /** The mark that a write may leave which brings these into the file of jobs; undefined where it is the one before. */
  cover(entries: Iterable<Journalable>): JournalMark | undefined {
    for (const { journaled } of entries) if (journaled) journaled.coming++;
    let last: Journaled | undefined;
    for (const each of this.needed) {
      if (each.open > each.coming) break;
      last = each;
    }
    return last && { claim: this.claim, number: last.number };
  }

  /** The write was made, or failed. */
  settle(entries: Iterable<Journalable>, mark: JournalMark | undefined, isDurable: boolean): void {
    for (const entry of entries) {
      const { journaled } = entry;
      if (!journaled) continue;
      journaled.coming = 0;
      if (isDurable) this.drop(entry);
    }
    if (!isDurable || !mark) return;
    while (this.needed[0] && this.needed[0].number <= mark.number) this.needed.shift();
    this.forgetEarlier();
  }

  /** Closes the file, and deletes it unless it is needed. */
  close(): void {
    if (this.file === undefined) return;
    closeSync(this.file);
    this.file = undefined;
    if (!this.isNeeded) remove(this.path);
  }

  /** Writes a record without jobs over one that is not to count, or of which nobody knows whether it is on disk. */
  private async annul(file: number, { number, start }: Journaled, entries: readonly Journalable[]): Promise<void> {
    const bytes = journalBytes(number, this.seed, []);
    try {
      writeSync(file, bytes, 0, bytes.length, start);
    } catch {
      // It stays needed, until the file of jobs says that it is not.
      return;
    }
    for (const entry of entries) this.drop(entry);
    // The disk may have failed for good: then it is as good as it can be.
    await sync(file).catch(() => undefined);
  }

  private forgetEarlier(): void {
    if (this.needed[0]?.number === 0) return;
    for (const file of this.earlier) remove(file);
    this.earlier = [];
  }

  private need(journaled: Journaled, entries: readonly Journalable[]): void {
    for (const entry of entries) {
      entry.journaled = journaled;
      journaled.open++;
    }
    this.needed.push(journaled);
  }

  /** Where so many bytes can be written. */
  private placeOf(length: number): number | undefined {
    const tail = this.needed.find(({ end }) => end > 0)?.start;
    if (tail === undefined) return length <= MAX_BYTES ? 0 : undefined;
    const { head } = this;
    if (head <= tail) return head + length <= tail ? head : undefined;
    if (head + length <= MAX_BYTES) return head;
    return length <= tail ? 0 : undefined;
  }

  /** Writes zeros ahead, so that a sync has only data to write. */
  private grow(file: number, end: number): void {
    if (end <= this.size) return;
    const size = Math.min(MAX_BYTES, Math.ceil(end / GROWTH) * GROWTH);
    const zeros = Buffer.alloc(GROWTH);
    while (this.size < size) this.size += writeSync(file, zeros, 0, Math.min(GROWTH, size - this.size), this.size);
  }
}

/** Deletes a journal that is not needed. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // The file of jobs says that it is not needed: the next owner tries again.
  }
}
