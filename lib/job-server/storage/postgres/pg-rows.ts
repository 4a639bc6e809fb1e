import type { JobRecord } from '../stored-job.js';
import type { PgParts } from './pg-parts.js';
import { bigArray, bytes, bytesArray, intArray, longUnique, uniqueKey } from './pg-values.js';

/** A job to add, and what else belongs to it. */
interface WithJob {
  readonly job: JobRecord;
}

/**
 * Those with jobs in the order in which everybody adds them: two job servers
 * that add the same uniques in another order would wait for each other. Their
 * functions are numbered.
 */
export function sortedForAdding<Row extends WithJob>({ functions }: PgParts, rows: readonly Row[]): Row[] {
  if (rows.every(({ job }) => job.unique === '')) return [...rows];
  const keyed = rows.map((row) => ({ row, id: functions.id(row.job.function)!, key: uniqueKey(row.job.unique) }));
  keyed.sort((one, other) => one.id - other.id || compare(one.key, other.key));
  return keyed.map(({ row }) => row);
}

/** The columns of new jobs as parameters of `unnest`, but for their place and owner: see `NEW_JOBS`. */
export function jobArrays({ functions }: PgParts, jobs: readonly JobRecord[]): Buffer[] {
  return [
    bytesArray(jobs.map(({ handle }) => handle)),
    bigArray(jobs.map(({ at }) => at)),
    intArray(jobs.map((job) => functions.id(job.function)!)),
    intArray(jobs.map(({ attempts }) => attempts)),
    intArray(jobs.map(({ losses }) => losses)),
    intArray(jobs.map(({ priority }) => priority)),
    bytesArray(jobs.map(({ unique }) => uniqueKey(unique))),
    bytesArray(jobs.map(({ unique }) => longUnique(unique))),
    bytesArray(jobs.map(({ reducer }) => reducer)),
    bytesArray(jobs.map(({ workload }) => workload)),
    bigArray(jobs.map(({ acceptedAt }) => acceptedAt)),
  ];
}

/** A job waits in the database that was not counted before: counts it, and says that it can be leased. */
export function addedJob({ hints, ready }: PgParts, { function: name, priority, at }: JobRecord): void {
  const queue = hints.queue(name, priority);
  queue.wrote([1, 1, Number(at > 0)]);
  queue.expect(at);
  ready.add(queue);
}

function compare(one: Buffer | undefined, other: Buffer | undefined): number {
  return Buffer.compare(one ?? bytes(''), other ?? bytes(''));
}
