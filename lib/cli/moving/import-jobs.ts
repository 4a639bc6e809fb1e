import { StorageError, type JobStorage, type OnceOutcome } from '../../job-server/storage/index.js';
import { Unfit, type Incoming, type Source } from './incoming.js';

/** What became of the jobs of a source. */
export interface ImportCounts {
  /** Everything that was read. */
  read: number;
  added: number;
  /** Those of an earlier run. */
  known: number;
  /** Those another job of their function and unique does for. */
  coalesced: number;
  /** Those that cannot be jobs here. */
  unfit: number;
  /** Why, for the first of them. */
  firstUnfit?: Unfit;
}

/** Options of {@link importJobs}. */
export interface ImportOptions {
  /** Aborts to end early; what is then not counted is not taken. */
  readonly signal: AbortSignal;
  /** Told now and then how far it is. */
  readonly progress: (counts: Readonly<ImportCounts>) => void;
}

/** So much is read before it is waited for the disk. */
const BATCH_JOBS = 4_096;
const BATCH_BYTES = 16 * 1024 * 1024;

/** How many jobs there are between two reports of progress, at least. */
const PROGRESS_JOBS = 100_000;

/**
 * Takes a source's jobs into a storage, each once however often it is run: what
 * a run that was interrupted has taken, the next one knows.
 */
export async function importJobs(
  source: Source,
  storage: JobStorage,
  { signal, progress }: ImportOptions,
): Promise<ImportCounts> {
  const counts: ImportCounts = { read: 0, added: 0, known: 0, coalesced: 0, unfit: 0 };
  let told = 0;
  for await (const batch of batches(source)) {
    const outcomes = await Promise.all(batch.map((item) => take(item, storage)));
    for (const outcome of outcomes) count(counts, outcome);
    if (counts.read - told >= PROGRESS_JOBS) {
      progress(counts);
      told = counts.read;
    }
    if (signal.aborted) break;
  }
  return counts;
}

async function* batches(source: Source): AsyncGenerator<(Incoming | Unfit)[]> {
  let batch: (Incoming | Unfit)[] = [];
  let bytes = 0;
  for await (const item of source) {
    batch.push(item);
    if (!(item instanceof Unfit)) bytes += item.job.workload.length;
    if (batch.length < BATCH_JOBS && bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

async function take(item: Incoming | Unfit, storage: JobStorage): Promise<OnceOutcome | Unfit> {
  if (item instanceof Unfit) return item;
  try {
    return await storage.addOnce!(item.job, item.origin, item.death);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'GEARMAN_STORAGE_INVALID') throw error;
    return new Unfit(error.message, { cause: error });
  }
}

function count(counts: ImportCounts, outcome: OnceOutcome | Unfit): void {
  counts.read++;
  if (outcome instanceof Unfit) {
    counts.unfit++;
    counts.firstUnfit ??= outcome;
  } else counts[outcome]++;
}
