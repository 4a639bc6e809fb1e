import type { Adder } from '../job-storage.js';
import type { JobOutcome, StoredJob } from '../stored-job.js';
import type { PackName } from './pack-name.js';
import type { Change, QueueHint } from './pg-hints.js';

const PROMPT = { isLate: false, isKnown: false };

/** What is to become of a job that this owner has leased. */
export type End =
  | { readonly is: 'done'; readonly outcome?: JobOutcome | undefined }
  | { readonly is: 'bury'; readonly error: string; readonly diedAt: number }
  | { readonly is: 'release' };

/** A pack that is to be written, whole. */
export interface Packing {
  readonly entries: readonly PgEntry[];
  /** When the first of its jobs was told. */
  readonly since: number;
}

/** A job as it was read, and where it is: in a pack, or in a row of its own. */
export interface ReadJob {
  readonly job: StoredJob;
  readonly pack?: PackName | undefined;
  readonly index: number;
}

/** What is special about a job that is to be written. */
export interface Lateness {
  /** The lease comes with the write: until then the caller does not have the job. */
  readonly isLate: boolean;
  /** The caller ran it before it was to be stored: it may have been stored before, and its handle be known. */
  readonly isKnown: boolean;
}

/**
 * A job in this owner's memory: because it is not written yet, or leased.
 *
 *   new --batch--> writing --commit--> written --end written--> forgotten
 */
export class PgEntry {
  phase: 'new' | 'writing' | 'written' = 'new';
  end: End | undefined;
  /** Its counters changed since they were written. */
  isChanged = false;
  /** Its write was tried, and nobody knows what came of it. */
  isDoubtful = false;
  /** Its place among those to be written. */
  number = 0;
  /** The pack it is in, and where; it has a row of its own where it is in none. */
  pack: PackName | undefined;
  index = 0;
  /** That pack, as long as it is not known to be written. */
  packing: Packing | undefined;
  /** It is on its way from its pack to a row of its own, and may be there. */
  isGettingRow = false;
  /** What its write changes in the counts. */
  told: Change = [0, 0, 0];
  /** When it was told, on the clock of durations. */
  readonly since = performance.now();
  readonly isLate: boolean;
  readonly isKnown: boolean;

  constructor(
    readonly queue: QueueHint,
    public job: StoredJob,
    /** The session that has it leased; 0: it waits for anybody. */
    public owner: number,
    public adder: Adder | undefined,
    { isLate, isKnown }: Lateness = PROMPT,
  ) {
    this.isLate = isLate;
    this.isKnown = isKnown;
    if (adder) this.retell();
  }

  /** A job that came with a lease. */
  static leased(queue: QueueHint, { job, pack, index }: ReadJob, owner: number): PgEntry {
    const entry = new PgEntry(queue, job, owner, undefined);
    entry.phase = 'written';
    entry.pack = pack;
    entry.index = index;
    return entry;
  }

  /** Counts what its write will change. */
  retell(): void {
    this.told = this.owner > 0 ? [1, 0, 0] : [1, 1, Number(this.job.at > 0)];
    this.queue.told(this.told);
  }

  get bytes(): number {
    const { workload, reducer, unique } = this.job;
    return workload.length + reducer.length + unique.length + 200;
  }

  /** Who is to be told what came of it, once. */
  takeAdder(): Adder | undefined {
    const { adder } = this;
    this.adder = undefined;
    return adder;
  }
}
