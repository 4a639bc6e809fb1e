import { countsOf, noJobs, type FunctionCounts, type StoredPriority } from '../stored-job.js';
import type { EntryQueue } from './job-entry.js';
import { JobQueue, type Counts } from './job-queue.js';
import { hasLostPacks } from './quarantine.js';
import type { Tables } from './tables.js';

/** A function, the number it has in the file, and its queues by priority. */
export interface FunctionRow {
  readonly name: string;
  readonly id: number;
  readonly queues: readonly [EntryQueue, EntryQueue, EntryQueue];
}

/**
 * The functions of a file, their numbers and counts, all of it in memory.
 *
 * Counts are kept in the file by the writes that change them, so nothing has
 * to be counted when it is opened.
 */
export class FunctionTable {
  private readonly byName = new Map<string, FunctionRow>();
  private readonly byId = new Map<number, FunctionRow>();
  /** Functions the file does not have yet. */
  private readonly unsaved = new Set<FunctionRow>();
  /** Those of them that are in the write that is being made. */
  private saving: FunctionRow[] = [];
  private lastId = 0;

  /** Deletes functions that have no jobs; to be called within a write transaction, before {@link load}. */
  static tidy(tables: Tables): void {
    for (const { key, value } of [...tables.functions.getRange({ start: undefined })]) {
      const functionId = value[0] as number;
      const rows = [0, 1, 2].map((priority) => ({ functionId, priority }));
      if (rows.some((row) => readCounts(tables, row).total > 0)) continue;
      void tables.functions.remove(key);
      for (const row of rows) void tables.counts.remove(row);
    }
  }

  /** Reads all functions and their counts. */
  load(tables: Tables): void {
    const isDoubtful = hasLostPacks(tables);
    for (const { key, value } of tables.functions.getRange({ start: undefined })) {
      for (const queue of this.insert(key, value[0] as number).queues) {
        queue.restart(readCounts(tables, queue), isDoubtful);
      }
    }
  }

  /** All functions, also those whose jobs have all ended. */
  rows(): Iterable<FunctionRow> {
    return this.byName.values();
  }

  find(name: string): FunctionRow | undefined {
    return this.byName.get(name);
  }

  /** The queue of a job's key. */
  queue({ functionId, priority }: { functionId: number; priority: number }): EntryQueue | undefined {
    return this.byId.get(functionId)?.queues[priority as StoredPriority];
  }

  /** The function of this name, a new one if need be. */
  row(name: string): FunctionRow {
    const known = this.byName.get(name);
    if (known) return known;
    const row = this.insert(name, this.lastId + 1);
    this.unsaved.add(row);
    return row;
  }

  counts(): FunctionCounts[] {
    const all = [...this.byName.keys()].map((name) => this.count(name));
    return all.filter(({ total: [high, normal, low] }) => high + normal + low > 0);
  }

  count(name: string): FunctionCounts {
    const row = this.byName.get(name);
    if (!row) return noJobs(name);
    return countsOf(name, row.queues);
  }

  /** Puts new functions, and the counts of the queues that change, into a write. */
  emit({ functions, counts }: Tables, queues: Iterable<JobQueue>): void {
    this.saving = [...this.unsaved];
    for (const { name, id } of this.saving) void functions.put(name, [id]);
    for (const queue of queues) {
      if (queue.change) void counts.put(queue, [queue.change.total, queue.change.scheduled]);
    }
  }

  /** The write is durable, or has failed. */
  settle(queues: Iterable<JobQueue>, isDurable: boolean): void {
    if (isDurable) for (const row of this.saving) this.unsaved.delete(row);
    for (const queue of queues) {
      if (isDurable) queue.stored = queue.change ?? queue.stored;
      queue.change = undefined;
    }
  }

  private insert(name: string, id: number): FunctionRow {
    const row: FunctionRow = {
      name,
      id,
      queues: [new JobQueue(name, id, 0), new JobQueue(name, id, 1), new JobQueue(name, id, 2)],
    };
    this.byName.set(name, row);
    this.byId.set(id, row);
    this.lastId = Math.max(this.lastId, id);
    return row;
  }
}

function readCounts(tables: Tables, queue: { functionId: number; priority: number }): Counts {
  const [total = 0, scheduled = 0] = tables.counts.get(queue) ?? [];
  return { total, scheduled };
}
