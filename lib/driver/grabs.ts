import { PacketType } from '../protocol/index.js';

/** What to fall back to when a job server does not know a grab. */
const OLDER_GRAB: { readonly [Type in PacketType]?: PacketType } = {
  [PacketType.GRAB_JOB_ALL]: PacketType.GRAB_JOB_UNIQ,
  [PacketType.GRAB_JOB_UNIQ]: PacketType.GRAB_JOB,
};

/**
 * When one connection of a worker asks for jobs, and how. Sends nothing itself.
 *
 * Pulling, as every job server knows it:
 *
 *   hungry --NO_JOB--> dry --last grab answered, PRE_SLEEP--> asleep
 *     ^ ^               |                                       |
 *     | +---JOB_ASSIGN--+                                       |
 *     +----------------- NOOP, or time to look ------------------+
 *
 * Hungry, it keeps as many grabs open as it got jobs in a row, so that a single
 * job costs one grab and a flood fills every slot at once.
 *
 * Pushed to, after an accepted ALL_YOURS: it stays hungry and keeps a grab open
 * for every free slot; the job server answers each when it has a job. Any
 * NO_JOB means that it does not push after all.
 */
export class Grabs {
  private mood: 'hungry' | 'dry' | 'asleep' = 'hungry';
  private jobsInARow = 0;
  /** Whether a grab was answered with anything but an ERROR: then it is one the job server knows. */
  private isKnown = false;
  /** Grabs without an answer. */
  open = 0;
  /** Whether the job server pushes, as far as we know. */
  isPushed = false;
  /** The packet to grab with. */
  type: PacketType;

  constructor(reducers: boolean) {
    this.type = reducers ? PacketType.GRAB_JOB_ALL : PacketType.GRAB_JOB_UNIQ;
  }

  /** A new connection; `mayPush`: it begins with ALL_YOURS. Returns how many grabs the old one left unanswered. */
  restart(mayPush: boolean): number {
    const { open } = this;
    this.open = 0;
    this.mood = 'hungry';
    this.jobsInARow = 0;
    this.isKnown = false;
    this.isPushed = mayPush;
    return open;
  }

  /** Whether a free slot is worth a grab. */
  get isWanted(): boolean {
    return this.mood === 'hungry' && (this.isPushed || this.open === 0 || this.open < this.jobsInARow);
  }

  /** True for a job server that knows only the oldest grab: Perl's. */
  get isOldest(): boolean {
    return this.type === PacketType.GRAB_JOB;
  }

  /** There may be jobs; true when that is news. */
  wake(): boolean {
    if (this.mood !== 'asleep') return false;
    this.mood = 'hungry';
    return true;
  }

  /** A grab was answered with a job. */
  assigned(): void {
    this.open--;
    this.jobsInARow++;
    this.isKnown = true;
    this.mood = 'hungry';
  }

  /** A grab was answered with NO_JOB; true: now is the time to sleep. */
  noJob(): boolean {
    this.open = Math.max(0, this.open - 1);
    this.isKnown = true;
    this.isPushed = false;
    return this.unfed();
  }

  /**
   * An ERROR came that may be the answer to a grab: to the first of a
   * connection, since later ones are known.
   *
   * @returns undefined when it is not; else whether an older grab can be tried.
   */
  refused(): 'older' | 'none' | undefined {
    if (this.open === 0 || this.isKnown || this.isPushed) return undefined;
    const older = OLDER_GRAB[this.type];
    this.open--;
    if (older === undefined) return 'none';
    this.type = older;
    return 'older';
  }

  /** No job is to be hoped for until it is woken; true: now is the time to sleep. */
  unfed(): boolean {
    this.jobsInARow = 0;
    this.mood = this.open === 0 ? 'asleep' : 'dry';
    return this.open === 0;
  }
}
