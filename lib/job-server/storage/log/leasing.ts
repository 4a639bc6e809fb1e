import type { DueJobs } from '../job-storage.js';
import { earlier, readySince, type QueueName } from '../stored-job.js';
import { Entry, type EntryIndex, type EntryQueue } from './entry.js';
import { DEAD, ENDED, JOB, type ItemReader } from './record.js';

/**
 * Who gets which job next: first those whose time has come, by their times,
 * then those without one, in the order they were accepted. A queue's jobs wait
 * in up to three places, and the first of each are compared; it costs as much
 * as is leased, however deep the queue.
 */
export class Leasing {
  /** Queues that may have unleased jobs with a time. */
  private readonly timed = new Set<EntryQueue>();

  constructor(private readonly index: EntryIndex) {}

  /** The log may have jobs of this queue with a time. */
  expect(queue: EntryQueue): void {
    if (queue.mayHaveTimed) this.timed.add(queue);
  }

  /** Takes the next job out of its queue; undefined when none is ready. Throws a {@link StorageError}. */
  take(queue: EntryQueue, now: number): Entry | undefined {
    const timed = queue.mayHaveTimed ? this.takeTimed(queue, now) : undefined;
    if (timed) return timed;
    return queue.waiting > 0 ? this.takeUntimed(queue) : undefined;
  }

  /** A job waits in memory. */
  wait(entry: Entry): void {
    const { queue } = entry;
    entry.phase = entry.phase.waiting;
    queue.inMemory(entry.at > 0).insert(entry);
    this.waits(entry);
  }

  /** A job can be leased from now on, wherever it waits. */
  waits({ queue, at }: Entry): void {
    if (at === 0) queue.waiting++;
    else this.timed.add(queue);
  }

  /** A waiting job waits no longer. */
  takeOut(entry: Entry): void {
    if (entry.phase.fate !== 'waiting') return;
    const { queue } = entry;
    queue.inMemory(entry.at > 0).remove(entry);
    if (entry.at === 0) queue.waiting--;
  }

  due(now: number): DueJobs {
    const ready: QueueName[] = [];
    let next = Infinity;
    for (const queue of this.timed) {
      if (!queue.mayHaveTimed) {
        this.timed.delete(queue);
        continue;
      }
      this.advance(queue, now);
      const memory = queue.inMemory(true);
      if (queue.due.time <= now || (memory.first?.at ?? Infinity) <= now) {
        ready.push({ function: queue.functionName, priority: queue.priority });
      }
      next = Math.min(next, queue.timed.time, memory.firstAfter(now)?.at ?? Infinity);
    }
    return { ready, next };
  }

  /** A living item of the log as an entry that memory does not have. */
  entryOf(item: ItemReader, number: number): Entry {
    const queue = this.index.queueOf(item.queue);
    const entry = new Entry(queue, item.job(queue.functionName, this.index.handleOf(item)));
    const { kind, hasTime, length, isApart, isHandleApart } = item;
    entry.stored = { number, length, kind, hasTime, isApart, isHandleApart };
    if (kind === DEAD) {
      entry.phase = entry.phase.dead;
      entry.death = { error: item.text, diedAt: item.time };
    } else if (kind === ENDED) {
      entry.phase = entry.phase.ended;
      entry.outcome = item.outcome;
    }
    return entry;
  }

  /** Since when those wait that would be taken next, where that is known. Throws a {@link StorageError}. */
  oldest(queue: EntryQueue, now: number): number | undefined {
    let oldest: number | undefined;
    if (queue.mayHaveTimed) {
      this.advance(queue, now);
      const { due } = queue;
      const first = queue.inMemory(true).first;
      if (first && first.at <= now) oldest = readySince(first.job);
      if (due.size > 0) oldest = earlier(oldest, this.sinceOf(due.number));
    }
    if (queue.waiting === 0) return oldest;
    const { apart } = queue;
    while (apart.size > 0 && !this.index.isFree(apart.number)) apart.pop();
    if (apart.size > 0) oldest = earlier(oldest, this.sinceOf(apart.number));
    const first = queue.inMemory(false).first;
    if (first) oldest = earlier(oldest, readySince(first.job));
    const run = this.nextOfRuns(queue);
    return run ? earlier(oldest, readySince(run.item)) : oldest;
  }

  private sinceOf(number: number): number | undefined {
    const item = this.index.read(number);
    return item && readySince(item);
  }

  private takeTimed(queue: EntryQueue, now: number): Entry | undefined {
    this.advance(queue, now);
    const { due } = queue;
    const memory = queue.inMemory(true);
    for (;;) {
      const first = memory.first;
      const isInLog =
        due.size > 0 && (!first || due.time < first.at || (due.time === first.at && due.sequence < first.sequence));
      if (!isInLog) {
        if (!first || first.at > now) return undefined;
        memory.take();
        return first;
      }
      if (due.time > now) return undefined;
      const { number } = due;
      const item = this.index.isFree(number) ? this.index.read(number) : undefined;
      due.pop();
      if (item) return this.entryOf(item, number);
    }
  }

  private takeUntimed(queue: EntryQueue): Entry | undefined {
    const memory = queue.inMemory(false);
    const { apart } = queue;
    while (apart.size > 0 && !this.index.isFree(apart.number)) apart.pop();
    const run = this.nextOfRuns(queue);
    const inMemory = memory.first?.sequence ?? Infinity;
    const inRuns = run?.item.sequence ?? Infinity;
    if (apart.sequence < inMemory && apart.sequence < inRuns) {
      const { number } = apart;
      const item = this.index.read(number);
      apart.pop();
      if (!item) return this.takeUntimed(queue);
      queue.waiting--;
      return this.entryOf(item, number);
    }
    if (inMemory === Infinity && !run) return undefined;
    queue.waiting--;
    if (run && inRuns < inMemory) {
      queue.cursor = run.number + 1;
      return this.entryOf(run.item, run.number);
    }
    return memory.take();
  }

  /** The first job of a queue's runs that nobody has. */
  private nextOfRuns(queue: EntryQueue): { item: ItemReader; number: number } | undefined {
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

  private firstIn(queue: EntryQueue, from: number, next: number): { item: ItemReader; number: number } | undefined {
    const { index } = this;
    const segment = index.segmentOf(from);
    if (!segment) return undefined;
    for (let number = from; number < next; number++) {
      if (!segment.isAlive(number) || segment.held.has(number - segment.first)) continue;
      const item = index.readIn(index.blockOf(segment, segment.blockOf(number)), number);
      if (item?.kind === JOB && item.queue === queue.key && !item.isApart) return { item, number };
    }
    return undefined;
  }

  /** Moves what is due at a time to where it is taken from. */
  private advance(queue: EntryQueue, now: number): void {
    const { timed, due } = queue;
    const isBack = now < queue.advancedTo;
    queue.advancedTo = now;
    // The clock was put back.
    for (; isBack && due.size > 0; due.pop()) timed.push(due.time, due.sequence, due.number);
    for (; timed.size > 0 && timed.time <= now; timed.pop()) {
      if (this.index.isFree(timed.number)) due.push(timed.time, timed.sequence, timed.number);
    }
    while (due.size > 0 && !this.index.isFree(due.number)) due.pop();
    while (timed.size > 0 && !this.index.isFree(timed.number)) timed.pop();
  }
}
