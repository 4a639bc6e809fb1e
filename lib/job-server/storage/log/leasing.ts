import type { DueJobs } from '../job-storage.js';
import { earlier, readySince, type QueueName } from '../stored-job.js';
import { Entry } from './entry.js';
import type { LogQueue } from './log-queue.js';
import type { LogIndex } from './log-index.js';
import { Phase } from './phase.js';
import type { PlaceHeap } from './place-heap.js';
import { DEAD, ENDED, JOB, type ItemReader } from './record.js';

/**
 * Who gets which job next: first those whose time has come, by their times,
 * then those without one, in the order they were accepted. It costs as much as
 * is leased, however deep the queue. Throws a {@link StorageError} where the
 * log cannot be read; then the job stays where it is.
 */
export class Leasing {
  /** Queues that may have unleased jobs with a time. */
  private readonly timed = new Set<LogQueue>();

  /** @param ready is told which queues have jobs to lease. */
  constructor(
    private readonly index: LogIndex,
    readonly ready: (queue: LogQueue) => void = () => undefined,
  ) {
    for (const queue of index.queues.values()) if (queue.timed.size > 0) this.timed.add(queue);
  }

  /** Takes the next job out of its queue, which counts it until it is leased; undefined when none is ready. */
  take(queue: LogQueue, now: number): Entry | undefined {
    while (queue.isDue(now)) {
      const entry = this.takeFirst(queue.timed);
      if (entry) return entry;
    }
    while (queue.waiting > 0) {
      const run = this.nextOfRuns(queue);
      const isApart = queue.apart.hasFirst() && queue.apart.sequence < (run?.sequence ?? Infinity);
      if (!run && !isApart) return undefined;
      const entry = isApart ? this.takeFirst(queue.apart) : this.entryOf(run!);
      if (!isApart) queue.cursor = run!.number + 1;
      if (entry) return entry;
    }
    return undefined;
  }

  due(now: number): DueJobs {
    const ready: QueueName[] = [];
    let next = Infinity;
    for (const queue of this.timed) {
      if (queue.isDue(now)) ready.push({ function: queue.functionName, priority: queue.priority });
      else if (queue.timed.size === 0) this.timed.delete(queue);
      else next = Math.min(next, queue.timed.time);
    }
    return { ready, next };
  }

  /** Since when the jobs wait that would be taken next, where that is known. */
  oldest(queue: LogQueue, now: number): number | undefined {
    const oldest = queue.isDue(now) ? this.sinceOf(queue.timed) : undefined;
    if (queue.waiting === 0) return oldest;
    const run = this.nextOfRuns(queue);
    // Now, since the next item is read by the same reader.
    const first = earlier(oldest, run && readySince(run));
    return earlier(first, this.sinceOf(queue.apart));
  }

  /** A living item of the log as an entry that memory does not have. */
  entryOf(item: ItemReader): Entry {
    const { index } = this;
    const queue = index.queueOf(item.queue);
    const { waiting, dead, ended } = Phase.none;
    const phase = item.kind === DEAD ? dead : item.kind === ENDED ? ended : waiting;
    const entry = new Entry(queue, item.job(queue.functionName), index.hashes, phase);
    entry.stored = item.stored;
    entry.past = item.past;
    return entry;
  }

  /** The entry of a job that memory has. */
  get(handle: string, hash = this.index.hashes.handle(handle)): Entry | undefined {
    return this.index.entries.ofHandle(hash, handle);
  }

  find(handle: string): Entry | undefined {
    const { index } = this;
    const hash = index.hashes.handle(handle);
    const entry = this.get(handle, hash);
    if (entry) return entry;
    const item = index.findHandle(handle, hash);
    return item && this.entryOf(item);
  }

  /** The job that has a unique; it is waiting or leased. */
  findByUnique(
    functionId: number,
    unique: string,
    hash = this.index.hashes.unique(functionId, unique),
  ): Entry | undefined {
    const { index } = this;
    const entry = index.entries.ofUnique(hash, functionId, unique);
    if (entry) return entry;
    const item = index.findUnique(hash, functionId, unique);
    return item && this.entryOf(item);
  }

  /** The job that stands for another one too, as it has its function and unique. */
  holderOf({ queue, job, uniqueHash }: Entry): Entry | undefined {
    return job.unique === '' ? undefined : this.findByUnique(queue.name.id, job.unique, uniqueHash);
  }

  /** Memory has an entry from now on. */
  keep(entry: Entry): void {
    if (entry.isInMemory) return;
    this.index.entries.add(entry);
    if (entry.stored) this.index.setInMemory(entry.stored.number);
  }

  /** Leases an entry that {@link take} took, or that waits somewhere. */
  lease(entry: Entry): void {
    entry.phase = entry.phase.leased;
    this.keep(entry);
  }

  /** A leased job is given back as it is, or as it was changed. */
  giveBack(entry: Entry, isTold = true): void {
    const { queue, stored, phase } = entry;
    if (phase.written === 'saved' && stored) {
      this.waits(entry, isTold);
      this.forget(entry);
      if (stored.isApart || stored.number < queue.cursor) queue.place(entry.job, stored.number);
    } else this.wait(entry, isTold);
  }

  /** A job waits in memory, until the log has it as it is. */
  wait(entry: Entry, isTold = true): void {
    this.keep(entry);
    this.waits(entry, isTold);
    entry.queue.place(entry.job, -1 - entry.place);
  }

  /** A job can be leased from now on. */
  waits(entry: Entry, isTold = true): void {
    entry.phase = entry.phase.waiting;
    if (entry.job.at > 0) this.timed.add(entry.queue);
    if (isTold) this.ready(entry.queue);
  }

  /** Memory forgets an entry that the log has. */
  forget(entry: Entry): void {
    if (!entry.isInMemory) return;
    this.index.entries.remove(entry);
    if (entry.stored) this.index.clearInMemory(entry.stored.number);
  }

  /** The entry of an item, in memory or else from the log; undefined where memory has a newer item of it. */
  current(item: ItemReader): Entry | undefined {
    const entry = this.get(item.handle);
    if (entry) return entry.stored?.number === item.number ? entry : undefined;
    return this.entryOf(item);
  }

  /** What is at a place; undefined when it cannot be read. */
  private entryAt(place: number): Entry | undefined {
    if (place < 0) return this.index.entries.at(-1 - place);
    const item = this.index.read(place);
    return item && this.entryOf(item);
  }

  private takeFirst(places: PlaceHeap): Entry | undefined {
    const entry = this.entryAt(places.number);
    places.pop();
    return entry;
  }

  private sinceOf(places: PlaceHeap): number | undefined {
    const entry = places.hasFirst() ? this.entryAt(places.number) : undefined;
    return entry && readySince(entry.job);
  }

  /** The first job of a queue's runs that nobody has leased. */
  private nextOfRuns(queue: LogQueue): ItemReader | undefined {
    const { index } = this;
    const { runs } = queue;
    for (let run = runs.first; run !== undefined; run = runs.first) {
      const segment = index.segmentOf(run);
      const block = segment?.blockOf(run) ?? 0;
      const next = segment?.blockNext(block) ?? 0;
      const from = Math.max(run, queue.cursor);
      const found = segment?.hasLiving(from, next) ? this.firstIn(queue, from, next) : undefined;
      if (found) {
        queue.cursor = found.number;
        return found;
      }
      queue.cursor = Math.max(queue.cursor, next);
      // The block that is being written may get more of them.
      if (segment === index.segments.at(-1) && next === segment?.next && run === queue.lastRun) return undefined;
      runs.drop(1);
    }
    return undefined;
  }

  private firstIn(queue: LogQueue, from: number, next: number): ItemReader | undefined {
    const { index } = this;
    const segment = index.segmentOf(from);
    if (!segment) return undefined;
    for (let number = from; number < next; number++) {
      if (!segment.isAlive(number) || segment.inMemory.has(number - segment.first)) continue;
      const item = index.blockOf(segment, segment.blockOf(number)).item(number);
      if (item?.kind === JOB && item.queue === queue.key && !item.isApart) return item;
    }
    return undefined;
  }
}
