import { PacketType } from '../protocol/index.js';

/** Which packet to fall back to when a job server does not know a grab. */
const OLDER_GRAB: { readonly [Type in PacketType]?: PacketType } = {
  [PacketType.GRAB_JOB_ALL]: PacketType.GRAB_JOB_UNIQ,
  [PacketType.GRAB_JOB_UNIQ]: PacketType.GRAB_JOB,
};

/**
 * When one connection of a worker asks for jobs, and with which packet. It sends nothing itself.
 *
 * Pulling, as every job server knows it:
 *
 *   hungry --NO_JOB--> dry --last grab answered, PRE_SLEEP--> asleep
 *     ^ ^               |                                       |
 *     | +---JOB_ASSIGN--+                                       |
 *     +----------------- NOOP, or time to look ------------------+
 *
 * While hungry it keeps as many grabs open as it got jobs in a row: a single
 * job costs one grab, and many jobs soon fill every slot.
 *
 * Pushed to, after the job server accepted ALL_YOURS: it stays hungry and keeps a
 * grab open for every free slot; the job server answers each when it has a job.
 * Any NO_JOB means that it does not push after all.
 */
export class Grabs {
  private mood: 'hungry' | 'dry' | 'asleep' = 'hungry';
  private jobsInARow = 0;
  /** Whether a grab was answered with something other than an ERROR: then the job server knows this grab. */
  private isKnown = false;
  /** How many grabs have no answer yet. */
  open = 0;
  /** Whether the job server pushes, as far as we know. */
  isPushed = false;
  /** The packet to grab with. */
  type: PacketType;

  constructor(reducers: boolean) {
    this.type = reducers ? PacketType.GRAB_JOB_ALL : PacketType.GRAB_JOB_UNIQ;
  }

  /** Begins with a new connection; `mayPush` if it starts with ALL_YOURS. Returns how many grabs of the old one were never answered. */
  restart(mayPush: boolean): number {
    const { open } = this;
    this.open = 0;
    this.mood = 'hungry';
    this.jobsInARow = 0;
    this.isKnown = false;
    this.isPushed = mayPush;
    return open;
  }

  /** Whether a free slot should be used for a grab. */
  get isWanted(): boolean {
    return this.mood === 'hungry' && (this.isPushed || this.open === 0 || this.open < this.jobsInARow);
  }

  /** True for a job server that knows only the oldest kind of grab, which is Perl's. */
  get isOldest(): boolean {
    return this.type === PacketType.GRAB_JOB;
  }

  /** There may be jobs. Returns true if it slept. */
  wake(): boolean {
    if (this.mood !== 'asleep') return false;
    this.mood = 'hungry';
    return true;
  }

  /** A job came. Returns false if it answers no grab, which only a faulty job server does. */
  assigned(): boolean {
    const isAnswer = this.open > 0;
    if (isAnswer) this.open--;
    this.jobsInARow++;
    this.isKnown = true;
    this.mood = 'hungry';
    return isAnswer;
  }

  /** A grab was answered with NO_JOB. Returns true if it is time to send PRE_SLEEP. */
  noJob(): boolean {
    this.open--;
    this.isKnown = true;
    this.isPushed = false;
    return this.unfed();
  }

  /**
   * An ERROR came. It may be the answer to a grab, but only to the first of a
   * connection, since later grabs are of a known kind.
   *
   * @returns undefined if it is not about a grab; otherwise whether an older kind can be tried.
   */
  refused(): 'older' | 'none' | undefined {
    if (this.open === 0 || this.isKnown || this.isPushed) return undefined;
    const older = OLDER_GRAB[this.type];
    this.open--;
    if (older === undefined) return 'none';
    this.type = older;
    return 'older';
  }

  /** There is no job until the job server wakes it. Returns true if it is time to send PRE_SLEEP. */
  unfed(): boolean {
    this.jobsInARow = 0;
    this.mood = this.open === 0 ? 'asleep' : 'dry';
    return this.open === 0;
  }
}
