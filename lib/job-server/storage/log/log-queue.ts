import type { DeadCounts } from '../dead-counts.js';
import type { StoredPriority } from '../stored-job.js';
import type { Name } from './names.js';
import { NumberList } from './number-list.js';
import type { Phase } from './phase.js';
import { PlaceHeap } from './place-heap.js';
import type { Tally } from './segment.js';

/**
 * The jobs of one function and priority: where each waits.
 *
 *   runs   in the log, in the order they came: only where each 16 KiB begins is remembered, and how far it was leased
 *   apart  somewhere else: given back, changed, copied forward, or in memory until the log has them as they are
 *   timed  with a time
 */
export class LogQueue {
  /** All jobs, as the owner sees them; those with a time; and those of both that are leased. */
  total = 0;
  private scheduled = 0;
  private leased = 0;
  private leasedTimed = 0;
  /** Jobs without a time that can be leased. */
  waiting = 0;
  /** The numbers of the items that runs begin with. */
  readonly runs = new NumberList();
  /** The last of them, also when it was dropped. */
  lastRun = -1;
  /** No item of a run before this one waits. */
  cursor = 0;
  /** The highest sequence that was written in order. */
  lastSequence = 0;
  readonly apart: PlaceHeap;
  readonly timed: PlaceHeap;

  constructor(
    readonly key: number,
    readonly name: Name,
    /** Whether a job waits at a place. */
    waits: (number: number, time: number, sequence: number) => boolean,
    private readonly dead: DeadCounts,
    /** Queues that have jobs, or had some: it puts itself there. */
    private readonly used: Set<LogQueue>,
  ) {
    [this.apart, this.timed] = [new PlaceHeap(waits), new PlaceHeap(waits)];
  }

  get priority(): StoredPriority {
    return (this.key & 3) as StoredPriority;
  }

  get functionName(): string {
    return this.name.text;
  }

  /** Whether the first job with a time can be leased. */
  isDue(now: number): boolean {
    return this.timed.hasFirst() && this.timed.time <= now;
  }

  /** A job's place, from which it can be leased: an item's number in the log, or below 0 an entry's place in memory. */
  place({ at, sequence }: { readonly at: number; readonly sequence: number }, number: number): void {
    (at > 0 ? this.timed : this.apart).push(at, sequence, number);
  }

  /** All jobs, those that wait, those of them with a time. */
  get counts(): readonly [total: number, waiting: number, scheduled: number] {
    return [this.total, this.total - this.leased, this.scheduled - this.leasedTimed];
  }

  /** Counts a job that has come into a phase (1), or has left it (-1). */
  count({ at }: { readonly at: number }, { fate, isQueued }: Phase, by: 1 | -1): void {
    if (fate === 'dead') this.dead.add(this.functionName, by);
    if (!isQueued) return;
    this.add(by);
    if (at > 0) this.scheduled += by;
    if (fate === 'leased') {
      this.leased += by;
      if (at > 0) this.leasedTimed += by;
    } else if (fate === 'waiting' && at === 0) this.waiting += by;
  }

  /** So many jobs more wait, or fewer. */
  countWaiting([total, scheduled]: Readonly<Tally>): void {
    this.add(total);
    this.scheduled += scheduled;
    this.waiting += total - scheduled;
  }

  private add(jobs: number): void {
    if (this.total === 0) this.used.add(this);
    this.total += jobs;
  }
}

/** A queue's number: of its function's name and its priority. */
export function queueKey(functionId: number, priority: number): number {
  return functionId * 4 + priority;
}
