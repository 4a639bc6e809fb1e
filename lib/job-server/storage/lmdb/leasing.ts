import type { DueJobs } from '../job-storage.js';
import { comesBefore, type Place, type WaitingList } from '../waiting-list.js';
import type { EntryBook } from './entry-book.js';
import type { EntryQueue, JobEntry } from './job-entry.js';
import type { JobReader } from './job-reader.js';
import { LAST } from './queue-rows.js';
import type { QueueName } from '../stored-job.js';

/**
 * Who gets which job next. A queue is leased from its front: first what was
 * given back and waits in memory, then the file's jobs behind the queue's
 * cursor, and in their places among them those that are not written yet. It costs as much as is leased, however
 * deep the queue.
 */
export class Leasing {
  /** Queues that may have unleased jobs with a time. */
  private readonly timed = new Set<EntryQueue>();

  constructor(
    private readonly reader: JobReader,
    private readonly book: EntryBook,
    /** Told of queues that have jobs to lease. */
    private readonly tellReady: (queue: EntryQueue) => void,
  ) {}

  /** Takes up a queue of a file just opened. */
  restart(queue: EntryQueue): void {
    if (queue.scheduled > 0) this.expect(queue, this.reader.firstTime(queue, queue.cursorOf(true)));
  }

  /** Leases the next jobs, at most `count`, ready at `now`; none when the file cannot be read, which it throws. */
  lease(queue: EntryQueue, count: number, now: number): JobEntry[] {
    const entries: JobEntry[] = [];
    try {
      this.leaseInto(entries, queue, count, now);
    } catch (error) {
      // Nobody is told that they wait: they would be asked for again at once.
      for (const entry of entries) this.putBack(entry);
      throw error;
    }
    return entries;
  }

  private leaseInto(entries: JobEntry[], queue: EntryQueue, count: number, now: number): void {
    if (queue.nextDue <= now) {
      this.leaseRow(queue, true, { at: now + 1, sequence: 0 }, count, entries);
      if (entries.length < count) this.expectNext(queue);
    }
    if (queue.waiting === 0) return;
    this.leaseRow(queue, false, { at: 1, sequence: 0 }, count, entries);
    if (entries.length < count) queue.settleDoubt();
  }

  /** Whether a job that is added now would be the next one. */
  isNext({ waiting }: EntryQueue, job: { readonly at: number }): boolean {
    return job.at === 0 && waiting === 0;
  }

  /** Leases an entry, wherever it waits. */
  hold(entry: JobEntry): void {
    this.takeOut(entry);
    entry.isLeased = true;
    this.book.hold(entry);
  }

  /** A new job is leased from the start; one that is not next leaves those before it where leasing will come. */
  begin(entry: JobEntry, isNext: boolean): void {
    entry.isLeased = true;
    if (isNext) entry.queue.pass(entry);
    this.book.hold(entry);
  }

  /** A job waits, new or given back: in memory, until the file has it where leasing will come. */
  wait(entry: JobEntry): void {
    this.putBack(entry);
    this.tellReady(entry.queue);
  }

  /** The file has a waiting job as memory does. */
  settle(entry: JobEntry): void {
    const { queue } = entry;
    // Where it was changed since the write began, the file has it in its old place.
    if (!entry.isHeld || entry.isDirty || queue.isPassed(entry)) return;
    queue.heldOf(entry.at > 0).remove(entry);
    entry.isHeld = false;
  }

  /** A waiting job waits no longer; a leased one is left alone. */
  takeOut(entry: JobEntry): void {
    const { queue } = entry;
    if (!entry.isWaiting) return;
    if (entry.at === 0) queue.waiting--;
    if (entry.isHeld) queue.heldOf(entry.at > 0).remove(entry);
    entry.isHeld = false;
  }

  due(now: number): DueJobs {
    const ready: QueueName[] = [];
    let next = Infinity;
    for (const queue of this.timed) {
      if (queue.nextDue <= now) ready.push({ function: queue.functionName, priority: queue.priority });
      next = Math.min(next, queue.nextDue > now ? queue.nextDue : this.dueAfter(queue, now));
    }
    return { ready, next };
  }

  /** Leases jobs without a time, or with one, that wait before a place, until there are `count` entries. */
  private leaseRow(queue: EntryQueue, hasTime: boolean, before: Place, count: number, entries: JobEntry[]): void {
    const held = queue.heldOf(hasTime);
    while (entries.length < count && held.first && queue.isPassed(held.first)) this.take(held.first, entries);
    if (entries.length < count) this.leaseFromFile(queue, hasTime, before, count, entries);
    this.takeHeld(held, before, count, entries);
  }

  private leaseFromFile(queue: EntryQueue, hasTime: boolean, before: Place, count: number, entries: JobEntry[]): void {
    const held = queue.heldOf(hasTime);
    for (const read of this.reader.jobs(queue, queue.cursorOf(hasTime), before)) {
      this.takeHeld(held, read, count, entries);
      if (entries.length === count) return;
      queue.pass(read);
      const entry = this.book.get(read.handle) ?? read;
      // Memory may know it as ended, leased out of turn, or moved to another place.
      if (!entry.isWaiting || entry.at !== read.at || entry.sequence !== read.sequence) continue;
      this.take(entry, entries);
      if (entries.length === count) return;
    }
  }

  /** Leases what waits in memory before a place. */
  private takeHeld(held: WaitingList<JobEntry>, before: Place, count: number, entries: JobEntry[]): void {
    while (entries.length < count && held.first && comesBefore(held.first, before)) this.take(held.first, entries);
  }

  private putBack(entry: JobEntry): void {
    const { queue } = entry;
    entry.isLeased = false;
    entry.isHeld = true;
    queue.heldOf(entry.at > 0).insert(entry);
    if (entry.at === 0) queue.waiting++;
    else this.expect(queue, entry.at);
  }

  private dueAfter(queue: EntryQueue, now: number): number {
    const inFile = this.reader.firstTime(queue, { at: now, sequence: LAST - 1 });
    return Math.min(inFile, queue.heldOf(true).firstAfter(now)?.at ?? Infinity);
  }

  private take(entry: JobEntry, entries: JobEntry[]): void {
    entry.queue.pass(entry);
    this.hold(entry);
    entries.push(entry);
  }

  /** Looks up when the queue's next job with a time becomes ready, after all that are were leased. */
  private expectNext(queue: EntryQueue): void {
    this.timed.delete(queue);
    queue.nextDue = Infinity;
    this.expect(queue, queue.heldOf(true).first?.at ?? Infinity);
    this.expect(queue, this.reader.firstTime(queue, queue.cursorOf(true)));
  }

  /** An unleased job of this queue becomes ready at this time. */
  private expect(queue: EntryQueue, at: number): void {
    if (at >= queue.nextDue) return;
    queue.nextDue = at;
    this.timed.add(queue);
  }
}
