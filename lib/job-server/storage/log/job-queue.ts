import type { StoredPriority } from '../stored-job.js';
import { WaitingList, type Place } from '../waiting-list.js';
import type { Name } from './names.js';
import { NumberList } from './number-list.js';
import { PlaceHeap } from './place-heap.js';

/**
 * The jobs of one function and priority: where each waits.
 *
 *   runs      in the log, in the order they came: only where each 16 KiB begins is remembered, and how far it was leased
 *   apart     in the log, somewhere else: given back, changed, or copied forward
 *   timed     in the log, with a time; those whose time has come when it was last looked are in `due`
 *   unwritten in memory, until the log has them as they are
 */
export class JobQueue<Waiting extends Place = Place> {
  /** All jobs, as the owner sees them. */
  total = 0;
  /** Those of them with a time. */
  scheduled = 0;
  /** Dead letters, as the owner sees them. */
  dead = 0;
  /** Those that are leased, and those of them with a time. */
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
  readonly due: PlaceHeap;
  /** The time it was last looked at. */
  advancedTo = 0;
  private readonly unwritten = new WaitingList<Waiting>();
  private readonly unwrittenTimed = new WaitingList<Waiting>();

  constructor(
    readonly key: number,
    readonly name: Name,
    readonly priority: StoredPriority,
    /** Whether an item of the log lives. */
    isAlive: (number: number) => boolean,
  ) {
    [this.apart, this.timed, this.due] = [new PlaceHeap(isAlive), new PlaceHeap(isAlive), new PlaceHeap(isAlive)];
  }

  get functionName(): string {
    return this.name.text;
  }

  /** What waits in memory, with a time or without. */
  inMemory(hasTime: boolean): WaitingList<Waiting> {
    return hasTime ? this.unwrittenTimed : this.unwritten;
  }

  /** Whether there may be jobs with a time that nobody has leased. */
  get mayHaveTimed(): boolean {
    return this.timed.size + this.due.size + this.unwrittenTimed.size > 0;
  }

  /** A job's place in the log, from which it can be leased. */
  place(at: number, sequence: number, number: number): void {
    if (at > 0) this.timed.push(at, sequence, number);
    else this.apart.push(0, sequence, number);
  }

  /** All jobs, those that wait, those of them with a time. */
  get counts(): readonly [total: number, waiting: number, scheduled: number] {
    return [this.total, this.total - this.leased, this.scheduled - this.leasedTimed];
  }

  /** Counts a job that is leased (1) or no longer (-1). */
  countLeased(job: { readonly at: number }, by: 1 | -1): void {
    this.leased += by;
    if (job.at > 0) this.leasedTimed += by;
  }

  count(job: { readonly at: number }, by: 1 | -1): void {
    this.total += by;
    if (job.at > 0) this.scheduled += by;
  }
}

/** A queue's number: of its function's name and its priority. */
export function queueKey(functionId: number, priority: number): number {
  return functionId * 4 + priority;
}
