import { fromByteString } from '../../protocol/index.js';
import {
  elapsed,
  type Engine,
  type FailedRun,
  type Job,
  type Outcome,
  type Peer,
  type Workload,
} from '../engine/index.js';

/** So many jobs that completed are kept, and so many that did not. */
export const MAX_RECENT = { completed: 2_000, failed: 1_000 } as const;

/** So many runs are kept after which a job ran again, of all jobs together. */
export const MAX_RUNS = 2_000;

/** Of jobs that completed at most so many are kept from one sample of the history to the next, a second; the others are passed over. */
const MAX_A_SAMPLE = 200;

/** How much is kept of a failed job's workload, and of why it failed, in bytes. */
const WORKLOAD_BYTES = 512;
const ERROR_BYTES = 1_024;

const NOTHING = Buffer.alloc(0);

/** Of a run that was in vain less is kept, in bytes: a job may have many. */
const RUN_ERROR_BYTES = 256;

const OUTCOMES = { failed: 'failed', lostWorkers: 'lost', timeouts: 'timedOut' } as const;

/** A job that ended lately. */
export interface RecentJob {
  handle: string;
  function: string;
  unique: string;
  outcome: Outcome;
  endedAt: Date;
  /** How long it ran the last time, in milliseconds; undefined when it was not running. */
  took: number | undefined;
  /** The worker that ran it last, as it calls itself. */
  worker: string | undefined;
  /** The first 512 bytes of its workload; of a job that completed there are none. */
  workload: Buffer;
  /** The first 1,024 bytes of why it failed. */
  error: Buffer;
}

/** A run of a job that is over. */
export interface RecentRun {
  startedAt: Date;
  endedAt: Date;
  /** `lost`: its worker was; `timedOut`: its worker took longer than it may. */
  outcome: Outcome | (typeof OUTCOMES)[FailedRun];
  /** The worker, as it calls itself. */
  worker: string;
  /** The beginning of why it failed. */
  error: Buffer;
}

/** A run after which a job ran again. */
interface RunInVain extends RecentRun {
  readonly handle: string;
  readonly function: string;
}

/** The jobs that ended lately, and the runs of those that run again: rings of a fixed size, kept only while somebody wants them. */
export class RecentJobs {
  private rings = newRings();
  private runs = new Ring<RunInVain>(MAX_RUNS);
  /** How many jobs have completed since the last sample. */
  private inSample = 0;
  isKept = false;

  /** @internal */
  constructor(private readonly engine: () => Engine) {}

  /**
   * The history takes a sample: {@link MAX_A_SAMPLE} jobs that complete are
   * kept from now on. So none of them, and there may be 100,000 a second, has
   * to ask for the time.
   * @internal
   */
  sampled(): void {
    this.inSample = 0;
  }

  /**
   * A job is over, which this worker ran until now.
   * @internal
   */
  ended(job: Job, worker: Peer | undefined, outcome: Outcome, result: Workload): void {
    if (!this.isKept) return;
    const isCompleted = outcome === 'completed';
    if (isCompleted && ++this.inSample > MAX_A_SAMPLE) return;
    this.rings[isCompleted ? 'completed' : 'failed'].push(this.recordOf(job, worker, outcome, result));
  }

  /**
   * A job is to run again, which its worker ran in vain until now.
   * @internal
   */
  triedInVain(job: Job, cause: FailedRun, why: Workload): void {
    if (!this.isKept) return;
    const engine = this.engine();
    const endedAt = new Date();
    this.runs.push({
      handle: fromByteString(engine.handleOf(job)),
      function: fromByteString(job.function_.name),
      startedAt: new Date(endedAt.getTime() - elapsed(job.since, engine.now)),
      endedAt,
      outcome: OUTCOMES[cause],
      worker: fromByteString(job.worker!.clientId),
      error: beginningOf(why, RUN_ERROR_BYTES),
    });
  }

  /**
   * The runs of a job that are over, oldest first, as far as they are remembered.
   *
   * @param isWanted whether a function is told, by its name.
   */
  runsOf(handle: string, isWanted: (name: string) => boolean): RecentRun[] {
    const isIts = (run: { readonly handle: string; readonly function: string }): boolean =>
      run.handle === handle && isWanted(run.function);
    const last = Object.values(this.rings).flatMap((ring) => ring.newestFirst().filter(isIts));
    const runs = this.runs
      .newestFirst()
      .filter(isIts)
      .map(({ handle: _, function: __, ...run }): RecentRun => run);
    // A job that was replayed has ended more than once.
    const before = (one: RecentRun, other: RecentRun): number => one.endedAt.getTime() - other.endedAt.getTime();
    return [...last.flatMap(runOf), ...runs].reverse().sort(before);
  }

  /** Newest first. */
  list(kind: keyof typeof MAX_RECENT): RecentJob[] {
    return this.rings[kind].newestFirst();
  }

  forget(): void {
    this.isKept = false;
    this.rings = newRings();
    this.runs = new Ring(MAX_RUNS);
  }

  private recordOf(job: Job, worker: Peer | undefined, outcome: Outcome, result: Workload): RecentJob {
    const isCompleted = outcome === 'completed';
    const engine = this.engine();
    return {
      handle: fromByteString(engine.handleOf(job)),
      function: fromByteString(job.function_.name),
      unique: fromByteString(job.unique),
      outcome,
      endedAt: new Date(),
      took: worker === undefined ? undefined : elapsed(job.since, engine.now),
      worker: worker && fromByteString(worker.clientId),
      workload: isCompleted ? NOTHING : beginningOf(job.workload, WORKLOAD_BYTES),
      error: isCompleted ? NOTHING : beginningOf(result, ERROR_BYTES),
    };
  }
}

/** The last run of a job that is over; none where it was not running then. */
function runOf({ outcome, endedAt, took, worker, error }: RecentJob): RecentRun[] {
  if (took === undefined) return [];
  return [{ startedAt: new Date(endedAt.getTime() - took), endedAt, outcome, worker: worker!, error }];
}

/** The last so many: one more takes the place of the oldest. */
class Ring<Item> {
  private readonly items: Item[] = [];
  private next = 0;

  constructor(private readonly limit: number) {}

  push(item: Item): void {
    this.items[this.next] = item;
    this.next = (this.next + 1) % this.limit;
  }

  newestFirst(): Item[] {
    return [...this.items.slice(this.next), ...this.items.slice(0, this.next)].reverse();
  }
}

function newRings(): Record<keyof typeof MAX_RECENT, Ring<RecentJob>> {
  return { completed: new Ring(MAX_RECENT.completed), failed: new Ring(MAX_RECENT.failed) };
}

/** A copy: a view would keep all of it. */
function beginningOf(bytes: Workload, length: number): Buffer {
  return typeof bytes === 'string'
    ? Buffer.from(bytes.slice(0, length), 'latin1')
    : Buffer.from(Uint8Array.prototype.slice.call(bytes, 0, length));
}
