import type { StoredJob } from '../stored-job.js';
import type { Place } from '../waiting-list.js';
import type { FunctionTable } from './function-table.js';
import { JobEntry, type EntryQueue } from './job-entry.js';
import type { JobFile } from './job-file.js';
import { jobHome, pastHome, type Home } from './keys.js';
import { RecordError } from './record-bytes.js';
import { Unreadable } from './record-check.js';
import { storedJob, type DeadRecord, type EndedRecord, type JobRecord } from './record-codec.js';

/** The latest time, and the last sequence: 48 bits. */
export const LAST = 2 ** 48 - 1;

/** What becomes of a record that cannot be read; `queue` is missing for a dead letter or a result. */
export type SetAside = (home: Home, record: Unreadable, queue: EntryQueue | undefined) => void;

/**
 * Reads jobs from the file as entries. It knows nothing of what memory says
 * about them. A record that cannot be read is set aside, and is as if it were
 * not there.
 */
export class JobReader {
  constructor(
    private readonly file: JobFile,
    private readonly functions: FunctionTable,
    private readonly setAside: SetAside,
  ) {}

  /** A queue's jobs behind one place and before another, in their order. */
  *jobs(queue: EntryQueue, after: Place, before: Place): Generator<JobEntry> {
    const start = homeIn(queue, after.at, after.sequence + 1);
    const end = homeIn(queue, before.at, before.sequence);
    for (const { key, value } of this.file.tables.jobs.getRange({ start, end })) {
      const entry = this.job(key, value, queue);
      if (entry) yield entry;
    }
  }

  /** The time of a queue's first job behind this place. */
  firstTime(queue: EntryQueue, after: Place): number {
    const start = homeIn(queue, after.at, after.sequence + 1);
    for (const { time } of this.file.tables.jobs.getKeys({ start, end: homeIn(queue, LAST, LAST), limit: 1 }))
      return time;
    return Infinity;
  }

  /** The job, dead letter or result of a handle. */
  find(handle: string): JobEntry | undefined {
    const home = readable(() => this.file.tables.handles.get(handle));
    return home && this.at(home);
  }

  /** The handle of the job that has a unique. */
  handleOfUnique(functionId: number, unique: string): string | undefined {
    return this.file.tables.uniques.get({ functionId, unique });
  }

  /** A table's entries in pages, in the order of their keys; of one function's jobs if `functionId` is given. */
  *pages(table: Home['table'], pageSize: number, functionId?: number): Generator<JobEntry[]> {
    let start = functionId === undefined ? undefined : jobHome(functionId, 0, 0, 0);
    const end = functionId === undefined ? {} : { end: jobHome(functionId + 1, 0, 0, 0) };
    for (;;) {
      const homes = [...this.file.tables[table].getKeys({ start, ...end, limit: pageSize, exclusiveStart: true })];
      start = homes[homes.length - 1];
      if (!start) return;
      yield homes.map((home) => this.at(home)).filter((entry) => entry !== undefined);
    }
  }

  /** The results that may be forgotten at a time. */
  *over(now: number): Generator<JobEntry> {
    const end = pastHome('ended', now + 1, 0);
    for (const { key, value } of this.file.tables.ended.getRange({ start: undefined, end })) {
      const entry = this.ended(key, value);
      if (entry) yield entry;
    }
  }

  private at(home: Home): JobEntry | undefined {
    const { jobs, dead, ended } = this.file.tables;
    switch (home.table) {
      case 'jobs':
        return this.job(home, jobs.get(home), this.functions.queue(home));
      case 'dead':
        return this.dead(home, dead.get(home));
      case 'ended':
        return this.ended(home, ended.get(home));
    }
  }

  private job(home: Home, record: JobRecord | Unreadable | undefined, queue?: EntryQueue): JobEntry | undefined {
    if (!record || !queue) return undefined;
    if (record instanceof Unreadable) return this.skip(home, record, queue);
    return new JobEntry(queue, storedJob(home, record, queue.functionName), home);
  }

  private dead(home: Home, record: DeadRecord | Unreadable | undefined): JobEntry | undefined {
    if (!record) return undefined;
    if (record instanceof Unreadable) return this.skip(home, record);
    const job: StoredJob = { ...record.job, sequence: home.sequence };
    const entry = new JobEntry(this.functions.row(job.function).queues[job.priority], job, home);
    entry.fate = { is: 'dead', letter: { job, error: record.error, diedAt: home.time } };
    return entry;
  }

  private ended(home: Home, record: EndedRecord | Unreadable | undefined): JobEntry | undefined {
    if (!record) return undefined;
    if (record instanceof Unreadable) return this.skip(home, record);
    const { handle, function: functionName, outcome } = record;
    const rest = { unique: '', priority: 1, workload: '', reducer: '', at: 0, attempts: 0, losses: 0 } as const;
    const job = { ...rest, handle, function: functionName, sequence: home.sequence };
    const entry = new JobEntry(this.functions.row(functionName).queues[1], job, home);
    entry.fate = { is: 'ended', outcome: { ...outcome, keepUntil: home.time } };
    return entry;
  }

  private skip(home: Home, record: Unreadable, queue?: EntryQueue): undefined {
    this.setAside(home, record, queue);
  }
}

function homeIn({ functionId, priority }: EntryQueue, time: number, sequence: number): Home {
  return jobHome(functionId, priority, time, sequence);
}

/** What `read` answers, or nothing where that cannot be read. */
function readable<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof RecordError) return undefined;
    throw error;
  }
}
