import { JobList, type Linked } from './job-list.js';
import { JobPack, type PackedJob } from './job-pack.js';

/** What stands in a {@link JobQueue}. */
export interface Packable<Job> extends Linked<Job> {
  /** Jobs that stand right behind it. */
  pack: JobPack | undefined;
  /** Whether a pack can keep everything about it. */
  isPlain(): this is PackedJob;
  /** A job out of a pack, like this one but for what the pack keeps. */
  like(pack: JobPack, index: number): Job;
}

/** When waiting jobs are packed. */
export interface Packing {
  /** From how many waiting jobs of a function and priority on. */
  readonly from: number;
  /** How many stand in one pack at most; as many of the youngest are never packed. */
  readonly size: number;
}

/**
 * The waiting jobs of a function and priority, in their order. In a long queue
 * most of them stand in packs; a pack hangs on the job before it, and is opened
 * when that job leaves, or one of its own is asked for.
 *
 *   job  job  job+[63 jobs]  job+[63 jobs]  job  job  job
 *   the oldest                              the youngest
 */
export class JobQueue<Job extends Packable<Job>> extends JobList<Job> {
  /** How many of the youngest jobs {@link pack} has not looked at yet. */
  private pushed = 0;

  override push(job: Job): void {
    super.push(job);
    this.pushed++;
  }

  override insert(job: Job): void {
    super.insert(job);
    const { previous } = job;
    if (!previous?.pack || previous.pack.lastSequence < job.sequence) return;
    // It belongs among those that are packed.
    super.remove(job);
    this.open(previous);
    this.insert(job);
  }

  /**
   * Packs jobs that stand before the youngest ones, if enough were pushed since
   * the last time.
   *
   * @returns the job that the pack hangs on.
   */
  pack({ from, size }: Packing): Job | undefined {
    if (this.pushed < 2 * size) return undefined;
    this.pushed = size;
    if (this.length < from) return undefined;
    const run = this.runBefore(size);
    const carrier = run.pop();
    if (!carrier || run.length < size / 2) return undefined;
    run.reverse();
    carrier.pack = new JobPack(run);
    for (let index = 0; index < run.length; index++) this.remove(run[index]!);
    this.length += run.length;
    return carrier;
  }

  /** Opens the pack that hangs on a job; answers what was in it. */
  open(carrier: Job): Job[] {
    const jobs = packedOn(carrier);
    carrier.pack = undefined;
    this.length -= jobs.length;
    for (let index = jobs.length - 1; index >= 0; index--) this.link(jobs[index]!, carrier, carrier.next);
    return jobs;
  }

  /** Oldest first; those in packs as copies. */
  override *[Symbol.iterator](): Iterator<Job> {
    for (let job = this.head; job; job = job.next) {
      yield job;
      yield* packedOn(job);
    }
  }

  /** Up to `size` jobs that can be packed, the youngest first, that stand before the `size` youngest. */
  private runBefore(size: number): (Job & PackedJob)[] {
    let job = this.tail;
    for (let passed = 0; job && passed < size; passed++) job = job.previous;
    const run: (Job & PackedJob)[] = [];
    for (; job?.isPlain() && run.length < size; job = job.previous) run.push(job);
    return run;
  }
}

function packedOn<Job extends Packable<Job>>(carrier: Job): Job[] {
  const { pack } = carrier;
  const jobs: Job[] = [];
  if (!pack) return jobs;
  for (let index = 0; index < pack.count; index++) jobs.push(carrier.like(pack, index));
  return jobs;
}
