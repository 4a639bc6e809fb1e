import type { StoredPriority } from '../stored-job.js';
import { comesBefore, WaitingList, type Place } from '../waiting-list.js';

/** How many jobs, and how many of them were given a time. */
export interface Counts {
  total: number;
  scheduled: number;
}

/** Before all jobs without a time, and before all with one. */
const FRONT: Place = { at: 0, sequence: 0 };
const TIMED_FRONT: Place = { at: 1, sequence: 0 };

/**
 * The jobs of one function and priority: how far they are leased.
 *
 *   file:   [ leased, or given back | cursor --> not leased yet ]
 *   memory: [ held: given back      |                           | held: not written yet ]
 *
 * Jobs with a time and jobs without one are two such rows, each with its own
 * cursor. All of it is an owner's memory: after a restart the cursors stand at
 * the front, and every job is leased again.
 */
export class JobQueue<Waiting extends Place = Place> {
  /** All jobs, as the owner sees them. */
  total = 0;
  /** Those of them with a time. */
  scheduled = 0;
  /** Those that are leased, and those of them that had a time then. */
  leased = 0;
  leasedTimed = 0;
  /** Jobs without a time that nobody has leased. */
  waiting = 0;
  /** The counts in the file. */
  stored: Readonly<Counts> = { total: 0, scheduled: 0 };
  /** What the write that is being made makes of them. */
  change: Counts | undefined;
  /** No unleased job with a time is due before this; it may be too early, never too late. */
  nextDue = Infinity;

  private isDoubtful = false;

  private readonly held = new WaitingList<Waiting>();
  private readonly heldTimed = new WaitingList<Waiting>();
  private cursor = FRONT;
  private timedCursor = TIMED_FRONT;

  constructor(
    readonly functionName: string,
    readonly functionId: number,
    readonly priority: StoredPriority,
  ) {}

  /** Nobody knows any longer how many jobs wait; so many more may than were counted. */
  doubt(more: number): void {
    this.isDoubtful = true;
    this.recount(more);
  }

  /** No job without a time waits any longer: what was counted otherwise is not there. */
  settleDoubt(): void {
    if (!this.isDoubtful) return;
    this.isDoubtful = false;
    this.recount(-this.waiting);
  }

  /** Takes over the file's counts, which may be too high in doubt; nothing is leased. */
  restart(counts: Counts, isDoubtful: boolean): void {
    this.isDoubtful = isDoubtful;
    this.stored = counts;
    this.total = counts.total;
    this.scheduled = counts.scheduled;
    this.waiting = counts.total - counts.scheduled;
  }

  /** How far the jobs without a time, or those with one, were leased. */
  cursorOf(hasTime: boolean): Place {
    return hasTime ? this.timedCursor : this.cursor;
  }

  /** Whether leasing has passed this place: a job that waits there must wait in memory to be found. */
  isPassed(place: Place): boolean {
    return !comesBefore(this.cursorOf(place.at > 0), place);
  }

  /** Leasing has come as far as this place. */
  pass(place: Place): void {
    if (this.isPassed(place)) return;
    if (place.at > 0) this.timedCursor = { at: place.at, sequence: place.sequence };
    else this.cursor = { at: 0, sequence: place.sequence };
  }

  /** The jobs without a time, or those with one, that wait in memory. */
  heldOf(hasTime: boolean): WaitingList<Waiting> {
    return hasTime ? this.heldTimed : this.held;
  }

  /** Counts a job that comes (1) or goes (-1). */
  count(job: Place, by: 1 | -1): void {
    this.total += by;
    if (job.at > 0) this.scheduled += by;
  }

  /** Counts a job that is leased (1) or no longer (-1). */
  countLeased(hasTime: boolean, by: 1 | -1): void {
    this.leased += by;
    if (hasTime) this.leasedTimed += by;
  }

  /** The counts that {@link FunctionCounts} tells: all, those that wait, those of them with a time. */
  get counts(): readonly [total: number, waiting: number, scheduled: number] {
    return [this.total, this.total - this.leased, this.scheduled - this.leasedTimed];
  }

  /** Counts a job that comes (1) or goes (-1) in the write that is being made. */
  countStored(hasTime: boolean, by: 1 | -1): void {
    const change = (this.change ??= { ...this.stored });
    change.total += by;
    if (hasTime) change.scheduled += by;
  }

  private recount(by: number): void {
    this.total += by;
    this.waiting += by;
    this.stored = { ...this.stored, total: this.stored.total + by };
    if (this.change) this.change.total += by;
  }
}
