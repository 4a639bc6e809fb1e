import type { StoredJob } from '../stored-job.js';
import type { Place } from '../waiting-list.js';
import type { FileChange } from './file-change.js';
import type { FunctionRow, FunctionTable } from './function-table.js';
import { JobEntry, type EntryQueue } from './job-entry.js';
import type { JobFile } from './job-file.js';
import { isLaterHandle, jobHome, pastHome, type Home } from './keys.js';
import { PackMarks } from './packs/pack-marks.js';
import type { Quarantine } from './quarantine.js';
import { BEFORE_ALL, BEHIND_ALL, LAST, packRows, queueRows, type PackDamage } from './queue-rows.js';
import { RecordError } from './record-bytes.js';
import { Unreadable } from './record-check.js';
import { storedJob, type DeadRecord, type EndedRecord, type JobRecord } from './record-codec.js';

/** What is told of records that cannot be read. */
export type Damages = Pick<Quarantine, 'take' | 'takePack'>;

/**
 * Reads jobs from the file as entries. It knows nothing of what memory says
 * about them. A record that cannot be read is set aside, and is as if it were
 * not there.
 */
export class JobReader {
  constructor(
    private readonly file: JobFile,
    private readonly functions: FunctionTable,
    private readonly damages: Damages,
  ) {}

  /** A queue's jobs behind one place and before another, in their order. */
  *jobs(queue: EntryQueue, after: Place, before: Place): Generator<JobEntry> {
    for (const { home, record } of queueRows(this.file.tables, queue, { after, before }, this.packDamage)) {
      const entry = this.job(home, record, queue);
      if (entry) yield entry;
    }
  }

  /** What is known of the packs that changes concern. */
  marksOf(changes: readonly FileChange[]): PackMarks {
    return new PackMarks(this.file.tables, changes, this.packDamage);
  }

  /** The time of a queue's first job behind this place. */
  firstTime(queue: EntryQueue, after: Place): number {
    const { functionId, priority } = queue;
    const start = jobHome(functionId, priority, after.at, after.sequence + 1);
    const end = jobHome(functionId, priority, LAST, LAST);
    for (const { time } of this.file.tables.jobs.getKeys({ start, end, limit: 1 })) return time;
    return Infinity;
  }

  /** The job, dead letter or result of a handle. */
  find(handle: string): JobEntry | undefined {
    const home = readable(() => this.file.tables.handles.get(handle));
    return home ? this.at(home) : this.findPacked(handle);
  }

  /** The handle of the job that has a unique. */
  handleOfUnique(functionId: number, unique: string): string | undefined {
    return this.file.tables.uniques.get({ functionId, unique });
  }

  /** All jobs in pages, or those of one function, in the order of their queues. */
  *jobPages(pageSize: number, only?: FunctionRow): Generator<JobEntry[]> {
    let page: JobEntry[] = [];
    const rows = only ? [only] : [...this.functions.rows()].sort((one, other) => one.id - other.id);
    for (const { queues } of rows) {
      for (const queue of queues) {
        if (queue.total === 0) continue;
        for (let after: Place | undefined = BEFORE_ALL; after;) {
          after = this.fill(page, pageSize, queue, after);
          if (!after) continue;
          yield page;
          page = [];
        }
      }
    }
    if (page.length > 0) yield page;
  }

  /** The dead letters in pages, longest dead first. */
  *deadPages(pageSize: number): Generator<JobEntry[]> {
    let start: Home | undefined;
    for (;;) {
      const homes = [...this.file.tables.dead.getKeys({ start, limit: pageSize, exclusiveStart: true })];
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

  /** Reads a queue's jobs behind a place until a page is full; answers the last one's place then. */
  private fill(page: JobEntry[], pageSize: number, queue: EntryQueue, after: Place): Place | undefined {
    for (const entry of this.jobs(queue, after, BEHIND_ALL)) {
      if (page.push(entry) === pageSize) return entry;
    }
    return undefined;
  }

  /** The job of a handle that has no row of its own. */
  private findPacked(handle: string): JobEntry | undefined {
    let write: number | undefined;
    for (const { key, value } of this.file.tables.packed.getRange({ start: handle, end: '', reverse: true })) {
      if (key !== handle && !isLaterHandle(handle, key)) return undefined;
      write ??= value.write;
      if (value.write !== write) return undefined;
      if (isLaterHandle(handle, value.last)) continue;
      const entry = this.inPack(value.home, handle);
      if (entry) return entry;
    }
    return undefined;
  }

  private inPack(home: Home, handle: string): JobEntry | undefined {
    const { tables } = this.file;
    const bytes = tables.packs.get(home);
    const queue = this.functions.queue(home);
    if (!bytes || !queue) return undefined;
    for (const row of packRows(tables, home, bytes, this.packDamage)) {
      if (!(row.record instanceof Unreadable) && row.record.handle === handle)
        return this.job(row.home, row.record, queue);
    }
    return undefined;
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
    this.damages.take(home, record, queue);
  }

  private readonly packDamage: PackDamage = (table, home, row, size) => {
    const queue = this.functions.queue(home);
    if (queue) this.damages.takePack(table, home, row, queue, size);
  };
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
