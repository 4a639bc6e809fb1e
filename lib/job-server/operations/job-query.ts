import { toByteString } from '../../protocol/index.js';
import type { JobSnapshot } from './snapshots.js';
import type { Workload } from '../engine/index.js';

/** Which jobs are meant: those for which everything given is true. */
export interface JobQuery {
  /** Of this function. */
  function?: string;
  /** Waiting for a worker, delayed until its time, or running. */
  state?: 'waiting' | 'delayed' | 'running';
  handle?: string;
  unique?: string;
  priority?: 'high' | 'normal' | 'low';
  /** Ready for longer than this, in milliseconds. */
  olderThan?: number;
  /** Tried or lost more often than this. */
  attemptsOver?: number;
  /** Whose workload contains this text, in UTF-8, or these bytes. */
  contains?: string | Uint8Array;
  /** Whose workload is JSON of at most 1 MiB with this value at this path, as `['user', 'id']`. */
  json?: { path: readonly string[]; value: unknown };
}

/** A {@link JobQuery}, made ready to be asked of many jobs. */
export class JobFilter {
  readonly function: string | undefined;
  private readonly needle: string | undefined;

  constructor(private readonly query: JobQuery) {
    this.function = query.function === undefined ? undefined : toByteString(query.function);
    const { contains } = query;
    this.needle = contains === undefined ? undefined : Buffer.from(contains as string).toString('latin1');
  }

  /** Whether a job is meant, by what its snapshot tells. */
  fits(job: JobSnapshot): boolean {
    const { state, handle, unique, priority, olderThan, attemptsOver } = this.query;
    return (
      (state === undefined || job.state === state) &&
      (handle === undefined || job.handle === handle) &&
      (unique === undefined || job.unique === unique) &&
      (priority === undefined || job.priority === priority) &&
      (olderThan === undefined || (job.readyAt !== undefined && Date.now() - job.readyAt.getTime() > olderThan)) &&
      (attemptsOver === undefined || Math.max(job.attempts, job.losses) > attemptsOver)
    );
  }

  /** Whether a job is meant, by its workload; asked of each job first, as most do not have it. */
  workloadFits(workload: Workload): boolean {
    if (this.needle !== undefined && !hasBytes(workload, this.needle)) return false;
    return this.query.json === undefined || hasJson(workload, this.query.json);
  }
}

function hasBytes(workload: Workload, needle: string): boolean {
  if (typeof workload === 'string') return workload.includes(needle);
  return Buffer.from(workload.buffer, workload.byteOffset, workload.length).includes(needle, 0, 'latin1');
}

/** How long JSON may be that is read, in bytes: 56 MB of small objects held up everybody for 3.6 s. */
const MAX_JSON = 1_048_576;

function hasJson(workload: Workload, { path, value }: { path: readonly string[]; value: unknown }): boolean {
  if (workload.length > MAX_JSON) return false;
  try {
    let found: unknown = JSON.parse(textOf(workload));
    for (const key of path) {
      if (typeof found !== 'object' || found === null || !Object.hasOwn(found, key)) return false;
      found = (found as Record<string, unknown>)[key];
    }
    return found === value;
  } catch {
    // No JSON, so nothing stands at its paths.
    return false;
  }
}

function textOf(workload: Workload): string {
  return typeof workload === 'string' ? Buffer.from(workload, 'latin1').toString() : Buffer.from(workload).toString();
}
