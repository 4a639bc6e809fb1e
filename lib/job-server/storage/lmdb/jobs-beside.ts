import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { StorageError } from '../storage-error.js';
import type { JobBeside, JobsBeside } from '../jobs-beside.js';
import type { StoredJob } from '../stored-job.js';
import { storageError } from './file-errors.js';
import { checkFormat, readJournalMark } from './file-format.js';
import { copyFolder } from './folder-copy.js';
import { jobsBehind, readJournals, type JournalFile } from './journal/journal-recovery.js';
import { jobHome } from './keys.js';
import { loadLmdb, ROOT_OPTIONS, type Lmdb, type ReadTransaction, type Root } from './lmdb-package.js';
import { BEFORE_ALL, BEHIND_ALL, queueRows, type QueueKey } from './queue-rows.js';
import { Unreadable } from './record-check.js';
import { storedJob } from './record-codec.js';
import { openTables, type Tables } from './tables.js';

/**
 * The jobs of an LMDB folder, read beside the process that owns it, or without
 * one. It owns nothing, writes nothing and holds no writer up; but while it
 * reads, the file grows by what is written, as the room of what is deleted
 * cannot be used again before.
 */
export class LmdbBeside implements JobsBeside {
  private constructor(
    private readonly lmdb: Lmdb,
    private readonly root: Root,
    private readonly tables: Tables,
    private readonly path: string,
  ) {}

  /** Rejects with a {@link StorageError}. */
  static async open(folder: string): Promise<LmdbBeside> {
    const lmdb = await loadLmdb();
    const path = resolve(folder);
    if (!existsSync(join(path, 'data.mdb'))) throw missing(path);
    let root: Root | undefined;
    try {
      root = lmdb.open({ ...ROOT_OPTIONS, path, readOnly: true });
      const tables: Partial<Tables> = openTables(root);
      if (!tables.meta || !tables.functions || !tables.jobs || !tables.dead) throw missing(path);
      checkFormat(tables.meta);
      return new LmdbBeside(lmdb, root, tables as Tables, path);
    } catch (error) {
      await root?.close();
      throw storageError(error, path);
    }
  }

  /**
   * All jobs as this moment has them: each function's by priority, in their order, then those that only journals have,
   * then the dead letters.
   */
  *read(): Generator<JobBeside> {
    // Before the file: what leaves them meanwhile is there.
    const journals = readJournals(this.path);
    const transaction = this.root.useReadTransaction();
    try {
      const journaled = this.journaled(journals, transaction);
      for (const read of this.jobs(transaction)) {
        if (read.is === 'job') journaled.delete(read.job.handle);
        yield read;
      }
      for (const job of journaled.values()) yield { is: 'job', job };
      yield* this.deadLetters(transaction);
    } finally {
      transaction.done();
    }
  }

  settings(): ReadonlyMap<string, string> {
    const { settings } = this.tables as Partial<Tables>;
    return new Map(Array.from(settings?.getRange({ start: undefined }) ?? [], ({ key, value }) => [key, value]));
  }

  /** Copies the folder, as this moment has it, to a new one. */
  async copy(path: string): Promise<void> {
    await copyFolder(this.lmdb, this.root, path, readJournals(this.path));
  }

  async close(): Promise<void> {
    await this.root.close();
  }

  /** The jobs that are in journals only, or may be, by their handles. */
  private journaled(journals: readonly JournalFile[], transaction: ReadTransaction): Map<string, StoredJob> {
    const mark = readJournalMark(this.tables, transaction);
    const jobs = journals.flatMap((journal) => jobsBehind(journal, mark).jobs);
    const others = jobs.filter(({ handle }) => !this.tables.handles.get(handle, { transaction }));
    return new Map(others.map((job) => [job.handle, job]));
  }

  private *jobs(transaction: ReadTransaction): Generator<JobBeside> {
    const names = new Map<number, string>();
    for (const { key, value } of this.tables.functions.getRange({ start: undefined, transaction })) {
      names.set(value[0] as number, key);
    }
    for (const functionId of this.functionIds(transaction)) {
      for (const priority of [0, 1, 2]) yield* this.queue({ functionId, priority }, names.get(functionId), transaction);
    }
  }

  private *queue(key: QueueKey, name: string | undefined, transaction: ReadTransaction): Generator<JobBeside> {
    const damages: JobBeside[] = [];
    const part = { after: BEFORE_ALL, before: BEHIND_ALL, transaction };
    for (const { home, record } of queueRows(this.tables, key, part, (_, __, row) =>
      damages.push(unreadable(row.reason)),
    )) {
      if (name === undefined) yield unreadable('its function has no name');
      else if (record instanceof Unreadable) yield unreadable(record.reason);
      else yield { is: 'job', job: storedJob(home, record, name) };
    }
    yield* damages;
  }

  /** The numbers of the functions that have jobs. */
  private functionIds(transaction: ReadTransaction): number[] {
    const { jobs, packs } = this.tables as Partial<Tables>;
    const ids = new Set<number>();
    for (const table of [jobs, packs]) {
      for (let next: number | undefined = 0; next !== undefined;) {
        const start = jobHome(next, 0, 0, 0);
        next = undefined;
        for (const { functionId } of table?.getKeys({ start, limit: 1, transaction }) ?? []) {
          ids.add(functionId);
          next = functionId + 1;
        }
      }
    }
    return [...ids].sort((one, other) => one - other);
  }

  private *deadLetters(transaction: ReadTransaction): Generator<JobBeside> {
    for (const { key, value } of this.tables.dead.getRange({ start: undefined, transaction })) {
      if (value instanceof Unreadable) yield unreadable(value.reason);
      else {
        const job = { ...value.job, sequence: key.sequence };
        yield { is: 'dead', letter: { job, error: value.error, diedAt: key.time } };
      }
    }
  }
}

function unreadable(reason: string): JobBeside {
  return { is: 'unreadable', reason };
}

function missing(path: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_INVALID',
    `${path} holds no jobs: name the folder that the job server was given as --queue-path`,
  );
}
