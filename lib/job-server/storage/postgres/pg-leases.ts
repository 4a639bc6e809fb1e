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

/** Leases the next jobs of a queue. */
export async function leaseJobs(parts: PgParts, queue: QueueHint, wanted: Wanted): Promise<ReadJob[]> {
  const jobs: ReadJob[] = [];
  // As many as it takes where they are full; small ones are looked at in several turns.
  for (let packs = Math.ceil(wanted.count / MAX_PACK) + 1; ; packs *= 4) {
    let rows: readonly PgRow[];
    try {
      rows = await leaseRows(parts, queue, { ...wanted, count: wanted.count - jobs.length }, packs);
    } catch (error) {
      if (jobs.length === 0) throw error;
      return jobs;
    }
    for (const row of rows) readInto(jobs, row, queue.name.function);
    if (jobs.length >= wanted.count || rows.filter(isPack).length < packs) return jobs;
  }
}

/** Leases from where on jobs of the queue may wait. */
async function leaseRows(parts: PgParts, queue: QueueHint, wanted: Wanted, packs: number): Promise<readonly PgRow[]> {
  const { leasedFrom } = queue;
  const { owner, function: id, priority, count, now } = wanted;
  const place = leasedFrom.begin(performance.now(), parts.hints.isLittered);
  let rows: readonly PgRow[] = [];
  try {
    ({ rows } = await run(parts, 'leaser', 'lease', [owner, id, priority, count, Math.floor(now), place, packs]));
    return rows;
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
