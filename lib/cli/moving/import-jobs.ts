import { StorageError, type JobRecord, type JobStorage, type OnceOutcome } from '../../job-server/storage/index.js';
import { Setting, Unfit, type Incoming, type Source } from './incoming.js';

/** How many jobs of a source became what. */
export interface ImportCounts {
  /** All that was read. */
  read: number;
  added: number;
  /** Jobs that an earlier run has imported. */
  known: number;
  /** Jobs that joined another job with their function and unique. */
  coalesced: number;
  /** Jobs that cannot be jobs here. */
  unfit: number;
  /** The reason for the first of them. */
  firstUnfit?: Unfit;
  /** Settings that were imported; a setting that exists already is left as it is. */
  settings: number;
}

/** Options of {@link importJobs}. */
export interface ImportOptions {
  /** Aborts to end early; jobs that are not counted then were not imported. */
  readonly signal: AbortSignal;
  /** Called now and then with the counts so far. */
  readonly progress: (counts: Readonly<ImportCounts>) => void;
  /** After at least how many jobs progress is reported again. Default 100,000. */
  readonly progressJobs?: number;
}

/** An item of a source, together with its outcome; a setting that exists already has none. */
type Item = Incoming | Setting | Unfit;
type Outcome = OnceOutcome | Unfit | 'set' | undefined;

/** How many jobs are read before the import waits for the disk. */
const BATCH_JOBS = 4_096;
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Imports a source's jobs into a storage, each job once however often the import
 * is run: a run knows which jobs an interrupted run before it has imported.
 */
export async function importJobs(
  source: Source,
  storage: JobStorage,
  { signal, progress, progressJobs = 100_000 }: ImportOptions,
): Promise<ImportCounts> {
  const counts: ImportCounts = { read: 0, added: 0, known: 0, coalesced: 0, unfit: 0, settings: 0 };
  let told = 0;
  for await (const batch of batches(source)) {
    const outcomes = await Promise.all(batch.map((item) => importOne(item, storage)));
    for (const outcome of outcomes) count(counts, outcome);
    if (counts.read - told >= progressJobs) {
      progress(counts);
      told = counts.read;
    }
    if (signal.aborted) break;
  }
  return counts;
}

async function* batches(source: Source): AsyncGenerator<Item[]> {
  let batch: Item[] = [];
  let bytes = 0;
  for await (const item of source) {
    batch.push(item);
    if (isJob(item)) bytes += item.job.workload.length;
    if (batch.length < BATCH_JOBS && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

async function importOne(item: Item, storage: JobStorage): Promise<Outcome> {
  if (item instanceof Unfit) return item;
  try {
    if (item instanceof Setting) return keep(item, storage);
    return await storage.addOnce!(item.past ? item.job : accepted(item.job), item.origin, item.past);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'GEARMAN_STORAGE_INVALID') throw error;
    return new Unfit(error.message, { cause: error });
  }
}

/** A job counts as accepted now where its source does not say when it was: a queue that nobody serves must grow old. */
function accepted(job: JobRecord): JobRecord {
  return { ...job, acceptedAt: job.acceptedAt ?? Date.now() };
}

function keep({ name, value }: Setting, storage: JobStorage): 'set' | undefined {
  if (storage.settings().has(name)) return undefined;
  storage.set(name, value);
  return 'set';
}

function isJob(item: Item): item is Incoming {
  return !(item instanceof Unfit || item instanceof Setting);
}

function count(counts: ImportCounts, outcome: Outcome): void {
  if (outcome === undefined) return;
  if (outcome === 'set') {
    counts.settings++;
    return;
  }
  counts.read++;
  if (outcome instanceof Unfit) {
    counts.unfit++;
    counts.firstUnfit ??= outcome;
  } else counts[outcome]++;
}
