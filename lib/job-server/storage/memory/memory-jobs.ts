import { DeadCounts } from '../dead-counts.js';
import type { DeadLetter, Holder, JobOutcome, JobRecord, StoredJob } from '../stored-job.js';
import { MemoryQueues, type MemoryQueue } from './memory-queues.js';

/** An owner, as the jobs know it. */
export interface MemoryOwner {
  readonly holder?: Holder | undefined;
  /** Jobs of a queue can be leased. */
  tellReady(queue: MemoryQueue): void;
  /** Somebody else cancelled a job that this owner has leased. */
  tellCancelled(handle: string): void;
  /** Somebody else set something. */
  tellSet(name: string, value: string | undefined): void;
}

/** A job, and who has leased it. */
export interface Entry {
  job: StoredJob;
  owner: MemoryOwner | undefined;
}

/** What owners of storages in memory have in common: the jobs. */
export class MemoryJobs {
  /** @internal */
  readonly queues = new MemoryQueues();
  /** @internal */
  readonly dead = new Map<string, DeadLetter>();
  /** @internal */
  readonly deadCounts = new DeadCounts();
  /** @internal */
  readonly ended = new Map<string, { function: string; outcome: JobOutcome }>();
  /** @internal */
  readonly origins = new Set<string>();
  /** @internal */
  readonly settings = new Map<string, string>();
  /**
   * Those who have it open.
   * @internal
   */
  readonly owners = new Set<MemoryOwner>();
  /** @internal */
  readonly entries = new Map<string, Entry>();
  private readonly uniques = new Map<string, Entry>();
  private sequence = 0;

  /** @internal */
  nextSequence(): number {
    return ++this.sequence;
  }

  /** @internal */
  find(handle: string): Entry | undefined {
    return this.entries.get(handle);
  }

  /**
   * The job of a unique: of one function, or of the first that has one.
   * @internal
   */
  findByUnique(unique: string, functionName?: string): Entry | undefined {
    if (unique === '') return undefined;
    if (functionName !== undefined) return this.uniques.get(uniqueKey(functionName, unique));
    for (const entry of this.entries.values()) if (entry.job.unique === unique) return entry;
    return undefined;
  }

  /**
   * Who has the handle, or the function and unique, of a new job.
   * @internal
   */
  existing(job: JobRecord): Entry | undefined {
    return this.find(job.handle) ?? this.findByUnique(job.unique, job.function);
  }

  /** @internal */
  enter(entry: Entry): void {
    const { job } = entry;
    this.entries.set(job.handle, entry);
    if (job.unique !== '') this.uniques.set(uniqueKey(job.function, job.unique), entry);
    const queue = this.queues.queueOf(job);
    queue.total++;
    if (!entry.owner) this.giveBack(entry);
  }

  /** @internal */
  drop(entry: Entry): void {
    const { job } = entry;
    this.entries.delete(job.handle);
    if (job.unique !== '') this.uniques.delete(uniqueKey(job.function, job.unique));
    const queue = this.queues.queueOf(job);
    queue.total--;
    if (!entry.owner) queue.takeOut(job);
  }

  /**
   * A job becomes a dead letter.
   * @internal
   */
  bury(letter: DeadLetter): void {
    const { handle, function: name } = letter.job;
    if (!this.dead.has(handle)) this.deadCounts.add(name, 1);
    this.dead.set(handle, letter);
  }

  /**
   * A dead letter is one no more; false when there was none.
   * @internal
   */
  unbury(handle: string): boolean {
    const letter = this.dead.get(handle);
    if (letter) this.deadCounts.add(letter.job.function, -1);
    return this.dead.delete(handle);
  }

  /**
   * A job waits, in its place.
   * @internal
   */
  giveBack(entry: Entry): void {
    entry.owner = undefined;
    const queue = this.queues.queueOf(entry.job);
    queue.wait(entry.job);
    for (const owner of this.owners) owner.tellReady(queue);
  }

  /**
   * Gives back all that an owner has leased; answers which.
   * @internal
   */
  giveBackAllOf(owner: MemoryOwner): string[] {
    const entries = [...this.entries.values()].filter((entry) => entry.owner === owner);
    for (const entry of entries) this.giveBack(entry);
    return entries.map(({ job }) => job.handle);
  }
}

/** One key for a function and a unique; a function has no NUL, as the protocol separates arguments by it. */
function uniqueKey(functionName: string, unique: string): string {
  return `${functionName}\0${unique}`;
}
