import type { StoredPriority } from '../stored-job.js';
import { MAX_PACK } from './pack-name.js';
import type { ReadJob } from './pg-entry.js';
import type { QueueHint } from './pg-hints.js';
import { jobsInPack } from './pg-pack.js';
import type { PgRow } from './pg-package.js';
import { run, type PgParts } from './pg-parts.js';
import { jobOf } from './pg-values.js';

/** What is to be leased. */
export interface Wanted {
  readonly owner: number;
  /** The function's number. */
  readonly function: number;
  readonly priority: StoredPriority;
  readonly count: number;
  readonly now: number;
}

/** How often a lease waits, at most, for what others leave of packs. */
const MAX_WAITS = 10;

/** Leases the next jobs of a queue. */
export async function leaseJobs(parts: PgParts, queue: QueueHint, wanted: Wanted): Promise<ReadJob[]> {
  const jobs: ReadJob[] = [];
  // As many as it takes where they are full; small ones are looked at in several turns.
  let packs = Math.ceil(wanted.count / MAX_PACK) + 1;
  let waits = 0;
  try {
    for (;;) {
      const left = { ...wanted, count: wanted.count - jobs.length };
      const { rows, place } = await leaseRows(parts, queue, left, packs);
      for (const row of rows) readInto(jobs, row, queue.name.function);
      if (jobs.length >= wanted.count) return jobs;
      if (rows.filter(isPack).length === packs) packs *= 4;
      // Another owner that leases at the same moment may have locked packs of which it takes only a
      // part.
      else if (waits++ === MAX_WAITS || !(await hasPack(parts, wanted, place))) return jobs;
    }
  } catch (error) {
    if (jobs.length === 0) throw error;
    return jobs;
  }
}

/** Whether a pack waits, once nobody has it locked. */
async function hasPack(parts: PgParts, { function: id, priority }: Wanted, place: number): Promise<boolean> {
  return (await run(parts, 'leaser', 'waitForPack', [id, priority, place])).rows.length > 0;
}

/** Leases from the place on where jobs of the queue may wait; answers that place too. */
async function leaseRows(
  parts: PgParts,
  queue: QueueHint,
  wanted: Wanted,
  packs: number,
): Promise<{ readonly rows: readonly PgRow[]; readonly place: number }> {
  const { leasedFrom } = queue;
  const { owner, function: id, priority, count, now } = wanted;
  const place = leasedFrom.begin(performance.now(), parts.hints.isLittered);
  let rows: readonly PgRow[] = [];
  try {
    ({ rows } = await run(parts, 'leaser', 'lease', [owner, id, priority, count, Math.floor(now), place, packs]));
    return { rows, place };
  } finally {
    const first = (rows as readonly LeasedRow[]).find(({ at }) => at === '0');
    const isShort = rows.length < count && !rows.some(isPack);
    leasedFrom.end(performance.now(), first && Number(first.seq), isShort);
  }
}

function readInto(jobs: ReadJob[], row: PgRow, functionName: string): void {
  if (isPack(row)) jobs.push(...jobsInPack(row, functionName));
  else jobs.push({ job: jobOf(row, functionName), index: 0 });
}

function isPack(row: PgRow): boolean {
  return (row as LeasedRow).maker !== null;
}

interface LeasedRow {
  readonly at: string;
  readonly seq: string;
  /** Null for a row of a single job. */
  readonly maker: number | null;
}
