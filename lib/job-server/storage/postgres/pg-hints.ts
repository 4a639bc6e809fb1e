import type { DueJobs } from '../job-storage.js';
import { QueueTable } from '../queue-table.js';
import type { QueueName, StoredJob } from '../stored-job.js';
import { QueueFloor } from './queue-floor.js';

/** What changes in a queue: all jobs, those that wait, those of them with a time. */
export type Change = readonly [total: number, waiting: number, scheduled: number];

/** How many of the next times are remembered of a queue. */
const TIMES = 64;

/** What is known of one function's jobs of one priority. */
export class QueueHint {
  /** What the database said last. */
  private base: Change = [0, 0, 0];
  /** What was written since. */
  private readonly recent: [number, number, number] = [0, 0, 0];
  /** What was told and is not written. */
  private readonly pending: [number, number, number] = [0, 0, 0];
  /** The next times, each once, earliest first. */
  times: number[] = [];
  /** A lease brought fewer than were asked for: the owner waits to be told of more. */
  isShort = false;
  /** Jobs wait again in their old places: the other owners are to be told. */
  isBack = false;
  /**
   * The places from which it is leased, and looked at; made when they are needed, since few of
   * many queues ever are.
   */
  private leaseFloor: QueueFloor | undefined;
  private lookFloor: QueueFloor | undefined;

  constructor(readonly name: QueueName) {}

  get counts(): Change {
    const sum = (index: 0 | 1 | 2): number => Math.max(0, this.base[index] + this.recent[index] + this.pending[index]);
    return [sum(0), sum(1), sum(2)];
  }

  get leasedFrom(): QueueFloor {
    return (this.leaseFloor ??= new QueueFloor());
  }

  get lookedAtFrom(): QueueFloor {
    return (this.lookFloor ??= new QueueFloor());
  }

  /** Jobs may wait from this place on. */
  lower(place = 0): void {
    this.leaseFloor?.lower(place);
    this.lookFloor?.lower(place);
  }

  /** Something was told that is to be written. */
  told(change: Change): void {
    add(this.pending, change, 1);
  }

  /** What was told is written, or never will be. */
  settled(change: Change, isWritten: boolean): void {
    add(this.pending, change, -1);
    if (isWritten) add(this.recent, change, 1);
  }

  /** Something was written that was not told before. */
  wrote(change: Change): void {
    add(this.recent, change, 1);
  }

  /** What the database says now, when nothing is on its way to it. */
  reset(base: Change): void {
    this.base = base;
    this.recent.fill(0);
  }

  /** A lease of `asked` jobs brought these; first those whose time had come. */
  leased(jobs: readonly Pick<StoredJob, 'at'>[], asked: number, now: number): void {
    const due = jobs.filter(({ at }) => at > 0);
    this.wrote([0, -jobs.length, -due.length]);
    const upTo = due.length < asked ? now : due.at(-1)!.at - 1;
    this.times = this.times.filter((at) => at > upTo);
    this.isShort = jobs.length < asked;
  }

  expect(at: number): void {
    if (at === 0 || this.times.includes(at)) return;
    this.times.push(at);
    this.times.sort((one, other) => one - other);
    this.times.length = Math.min(this.times.length, TIMES);
  }
}

/** What is known of all queues, as the database last said it and this owner has changed it since. */
export class PgHints extends QueueTable<QueueHint> {
  /** Many rows of jobs are dead and still there, as far as PostgreSQL knows. */
  isLittered = false;

  constructor() {
    super((name) => new QueueHint(name));
  }

  due(now: number): DueJobs {
    const ready: QueueName[] = [];
    let next = Infinity;
    for (const { name, times } of this.queues) {
      if ((times[0] ?? Infinity) <= now) ready.push(name);
      next = Math.min(next, times.find((at) => at > now) ?? Infinity);
    }
    return { ready, next };
  }
}

function add(sum: [number, number, number], change: Change, by: 1 | -1): void {
  sum[0] += change[0] * by;
  sum[1] += change[1] * by;
  sum[2] += change[2] * by;
}
