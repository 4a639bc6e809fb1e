import { fromByteString } from '../../protocol/index.js';
import { elapsed, type Engine, type Job, type Outcome, type Peer, type Workload } from '../engine/index.js';

/** So many jobs that completed are kept, and so many that did not. */
export const MAX_RECENT = { completed: 2_000, failed: 1_000 } as const;

/** Of jobs that completed at most so many a second are kept; the others are passed over. */
const MAX_A_SECOND = 200;

/** How much is kept of a failed job's workload, and of why it failed, in bytes. */
const WORKLOAD_BYTES = 512;
const ERROR_BYTES = 1_024;

const NOTHING = Buffer.alloc(0);

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

/** The jobs that ended lately: two rings of a fixed size, kept only while somebody wants them. */
export class RecentJobs {
  private rings = newRings();
  private second = 0;
  private inSecond = 0;
  isKept = false;

  /** @internal */
  constructor(private readonly engine: () => Engine) {}

  /**
   * A job is over, which this worker ran until now.
   * @internal
   */
  ended(job: Job, worker: Peer | undefined, outcome: Outcome, result: Workload): void {
    if (!this.isKept) return;
    const isCompleted = outcome === 'completed';
    if (isCompleted && !this.mayKeepOneMore()) return;
    this.rings[isCompleted ? 'completed' : 'failed'].push(this.recordOf(job, worker, outcome, result));
  }

  /** Newest first. */
  list(kind: keyof typeof MAX_RECENT): RecentJob[] {
    return this.rings[kind].newestFirst();
  }

  forget(): void {
    this.isKept = false;
    this.rings = newRings();
  }

  private mayKeepOneMore(): boolean {
    const second = Math.floor(this.engine().now / 1_000);
    if (second !== this.second) [this.second, this.inSecond] = [second, 0];
    return ++this.inSecond <= MAX_A_SECOND;
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
