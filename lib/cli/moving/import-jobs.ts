import { StorageError, type JobStorage, type OnceOutcome } from '../../job-server/storage/index.js';
import { Setting, Unfit, type Incoming, type Source } from './incoming.js';

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
  /** Settings that were taken; none is that is there already. */
  settings: number;
}

/** Options of {@link importJobs}. */
export interface ImportOptions {
  /** Aborts to end early; what is then not counted is not taken. */
  readonly signal: AbortSignal;
  /** Told now and then how far it is. */
  readonly progress: (counts: Readonly<ImportCounts>) => void;
  /** How many jobs there are between two reports of progress, at least. Default 100,000. */
  readonly progressJobs?: number;
}

/** What a source hands over, and what becomes of it: nothing of a setting that is there already. */
type Item = Incoming | Setting | Unfit;
type Outcome = OnceOutcome | Unfit | 'set' | undefined;

/** So much is read before it is waited for the disk. */
const BATCH_JOBS = 4_096;
const BATCH_BYTES = 16 * 1024 * 1024;

/**
 * Takes a source's jobs into a storage, each once however often it is run: what
 * a run that was interrupted has taken, the next one knows.
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
    return await storage.addOnce!(item.job, item.origin, item.past);
  } catch (error) {
    if (!(error instanceof StorageError) || error.code !== 'GEARMAN_STORAGE_INVALID') throw error;
    return new Unfit(error.message, { cause: error });
  }
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
