import type { Adder } from '../job-storage.js';
import type { StorageError } from '../storage-error.js';
import type { DeadLetter, JobOutcome, StoredJob } from '../stored-job.js';
import { joined, tellStored } from '../adders.js';
import { emitLeave, type FileChange, type FileWrite } from './file-change.js';
import type { JobQueue } from './job-queue.js';
import { isSameHome, jobHome, pastHome, type Home, type PackName } from './keys.js';
import type { Journalable, Journaled } from './journal/journal.js';
import { TAKEN } from './origin-book.js';
import type { Packable } from './packs/packer.js';
import type { Tables } from './tables.js';

/** A queue of jobs. */
export type EntryQueue = JobQueue<JobEntry>;

/** What shall become of a job. */
export type Fate =
  | { readonly is: 'queued' }
  | { readonly is: 'dead'; readonly letter: DeadLetter }
  | { readonly is: 'ended'; readonly outcome: JobOutcome }
  | { readonly is: 'gone' };

/** What a job costs beside what its client gave, roughly. */
const OVERHEAD_BYTES = 200;

const QUEUED: Fate = { is: 'queued' };

/**
 * Holds an entry in a map. A map leaves the tables behind that it has grown out
 * of, full as they were, where V8 collects rarely: what was in a holder that is
 * emptied can be collected at once.
 */
export interface Holder {
  entry: JobEntry | undefined;
}

/**
 * A job in the owner's memory: because it is leased, because it is not yet in
 * the file as it shall be, or both.
 *
 *   wanted:  what it shall be (`job`, `fate`)
 *   home:    where the file has it
 *
 * A write brings the second to the first, whatever happened in between: a job
 * that came and went costs nothing, and a write that failed is simply made
 * again.
 */
export class JobEntry implements FileChange, Packable, Journalable {
  fate: Fate = QUEUED;
  private leasedAs: 'untimed' | 'timed' | undefined;
  /** It waits among those its queue holds in memory. */
  isHeld = false;
  /** It is not to be leased before it is durable. */
  isHidden = false;
  /** It waits to be written. */
  isDirty = false;
  /** It is being written. */
  isWriting = false;
  /** It is as it was added, and no write of it to the file of jobs was tried. */
  isFresh = true;
  /** It is being written to the journal. */
  isAppending = false;
  journaled: Journaled | undefined;
  /** By what it is known by its handle; missing when it is not. */
  holder: Holder | undefined;
  /** Its unique was not given to a later job. */
  ownsUnique = true;
  /** Where it came from, to be written with it; missing when that is written, or nobody needs to know. */
  origin: string | undefined;
  /** The tick of a schedule that it is the job of, as a setting to be written with it; missing when that is written, or there is none. */
  tick: Setting | undefined;
  /** Who is told when it is durable; missing when nobody waits. */
  adder: Adder | undefined;
  readonly bytes: number;
  /** What the write that is being made makes of it. */
  private next: Wanted | undefined;

  constructor(
    readonly queue: EntryQueue,
    public job: StoredJob,
    /** Where the file has it; missing when it never was written. */
    public home: Home | undefined,
  ) {
    this.bytes = job.workload.length + job.reducer.length + job.unique.length + OVERHEAD_BYTES;
  }

  /** The owner runs it, or keeps it for running. */
  get isLeased(): boolean {
    return this.leasedAs !== undefined;
  }

  set isLeased(isLeased: boolean) {
    if (isLeased === this.isLeased) return;
    // It may have another time when it is given back.
    const hasTime = isLeased ? this.at > 0 : this.leasedAs === 'timed';
    this.leasedAs = isLeased ? (hasTime ? 'timed' : 'untimed') : undefined;
    this.queue.countLeased(hasTime, isLeased ? 1 : -1);
  }

  get handle(): string {
    return this.job.handle;
  }

  get at(): number {
    return this.job.at;
  }

  get sequence(): number {
    return this.job.sequence;
  }

  get isQueued(): boolean {
    return this.fate.is === 'queued';
  }

  /** It is a job again, which the file does not know: there it is a dead letter. */
  get isReturning(): boolean {
    return this.isQueued && this.home?.table === 'dead';
  }

  /** It can be leased. */
  get isWaiting(): boolean {
    return this.isQueued && !this.isLeased && !this.isHidden;
  }

  /** Nothing holds it in memory. */
  get isIdle(): boolean {
    return !this.isLeased && !this.isHeld && !this.isDirty && !this.isWriting;
  }

  /** Has somebody told as well when it is durable: now, unless there is a write to wait for. */
  join(adder: Adder, mustWait = false): void {
    if (this.adder || mustWait) this.adder = joined(this.adder, adder);
    else tellStored([adder]);
  }

  /** Resolves when it is durable, rejects when it is refused. */
  whenStored(mustWait = false): Promise<void> {
    return new Promise((resolve, reject) => this.join({ stored: () => resolve(), refused: reject }, mustWait));
  }

  /** Its adder, who is to be told now. */
  takeAdder(): Adder | undefined {
    const { adder } = this;
    this.adder = undefined;
    return adder;
  }

  /** Tells who waits for it that it is over and never has to be durable. */
  tellOver(): void {
    const adder = this.takeAdder();
    if (adder) tellStored([adder]);
  }

  /** Tells who waits for it that it was not accepted, and it is over. */
  tellRefused(error: StorageError): void {
    const adder = this.takeAdder();
    if (adder) queueMicrotask(() => adder.refused(error));
    this.isLeased = false;
    this.origin = undefined;
    this.tick = undefined;
    this.fate = { is: 'gone' };
  }

  /** The file is as it shall be, without a write: it never got there, and shall not. */
  get isNothing(): boolean {
    return this.fate.is === 'gone' && !this.home && !this.isWriting && this.hasNothingBeside;
  }

  /** What the write that is being made makes of it. */
  get packed(): StoredJob {
    return this.next?.job ?? this.job;
  }

  prepare(): void {
    this.isDirty = false;
    this.isWriting = true;
    this.next = { job: this.job, fate: this.fate, home: this.wantedHome(), origin: this.origin, tick: this.tick };
  }

  emit(write: FileWrite): void {
    const { home, next, queue } = this;
    if (!next) return;
    const { tables } = write;
    if (next.origin !== undefined) void tables.origins.put(next.origin, TAKEN);
    if (next.tick) void tables.settings.put(next.tick.name, next.tick.value);
    if (next.home && home && isSameHome(next.home, home)) {
      this.emitChange(write, next, home);
      return;
    }
    if (home) emitLeave(write, home);
    if (!next.home && !home?.pack) void tables.handles.remove(next.job.handle);
    else if (next.home && (!this.isPackable || !write.packer.take(this))) this.emitRow(tables);
    if (home?.table === 'jobs') queue.countStored(home.time > 0, -1);
    if (next.home?.table === 'jobs') queue.countStored(next.home.time > 0, 1);
    if (next.job.unique !== '') this.emitUnique(tables, next);
  }

  emitRow(tables: Tables): void {
    const { next } = this;
    if (!next?.home) return;
    emitRecord(tables, next);
    void tables.handles.put(next.job.handle, next.home);
  }

  sit(pack: PackName, index: number): void {
    const home = this.next?.home;
    if (!home) return;
    home.pack = pack;
    home.index = index;
  }

  settle(isDurable: boolean): void {
    this.isFresh = false;
    if (isDurable) {
      this.home = this.next?.home;
      this.origin = undefined;
      this.tick = undefined;
    }
    this.next = undefined;
    this.isWriting = false;
  }

  /** It is new, and nothing but a job. */
  get isNew(): boolean {
    return this.isFresh && !this.home && this.isQueued && this.hasNothingBeside;
  }

  /** Nothing else is to be written with it. */
  private get hasNothingBeside(): boolean {
    return this.origin === undefined && !this.tick;
  }

  /** It is new, and nothing but a job without a time. */
  private get isPackable(): boolean {
    const { home, isFresh, next } = this;
    if (next?.origin !== undefined || next?.tick) return false;
    return isFresh && !home && next?.home?.table === 'jobs' && next.job.at === 0;
  }

  /** It stays where it is. */
  private emitChange({ tables, marks }: FileWrite, next: Wanted, home: Home): void {
    next.home = home;
    if (home.pack) marks.change(home, next.job);
    else emitRecord(tables, next);
  }

  private emitUnique(tables: Tables, next: Wanted): void {
    const had = this.home?.table === 'jobs';
    const has = next.home?.table === 'jobs';
    if (has === had) return;
    const name = { functionId: this.queue.functionId, unique: next.job.unique };
    if (has) void tables.uniques.put(name, next.job.handle);
    else if (this.ownsUnique) void tables.uniques.remove(name);
  }

  private wantedHome(): Home | undefined {
    const { fate, job, queue } = this;
    switch (fate.is) {
      case 'queued':
        return jobHome(queue.functionId, queue.priority, job.at, job.sequence);
      case 'dead':
        return pastHome('dead', fate.letter.diedAt, job.sequence);
      case 'ended':
        return pastHome('ended', fate.outcome.keepUntil, job.sequence);
      case 'gone':
        return undefined;
    }
  }
}

/** What is kept by a name. */
interface Setting {
  readonly name: string;
  readonly value: string;
}

/** What a write makes of a job. */
interface Wanted {
  readonly job: StoredJob;
  readonly fate: Fate;
  /** Where it puts it; missing when it deletes it. */
  home: Home | undefined;
  readonly origin: string | undefined;
  readonly tick: Setting | undefined;
}

function emitRecord(tables: Tables, { job, fate, home }: Wanted): void {
  if (!home) return;
  switch (fate.is) {
    case 'queued':
      void tables.jobs.put(home, job);
      break;
    case 'dead':
      void tables.dead.put(home, fate.letter);
      break;
    case 'ended':
      void tables.ended.put(home, { handle: job.handle, function: job.function, outcome: fate.outcome });
      break;
    case 'gone':
      break;
  }
}
