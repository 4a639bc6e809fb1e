import { createStorage, StorageError, type JobStorage, type StorageOptions } from '../../job-server/storage/index.js';
import { fromByteString } from '../../protocol/index.js';
import { Failure } from '../failure.js';
import { jobsOfTable } from '../moving/gearmand-rows.js';
import { importJobs, type ImportCounts } from '../moving/import-jobs.js';
import { originOf } from '../moving/incoming.js';
import { withStorageFailures } from '../moving/storage-failure.js';
import type { LogWriter } from './log-writer.js';
import type { FormerQueue } from './queue-choice.js';

/** What is remembered of a move, under a name made from the queue's name. */
interface Moved {
  readonly from: string;
  readonly at: string;
  readonly jobs: number;
}

/**
 * Moves the jobs in gearmand's queue into our storage, before the job server
 * starts with that storage, and logs it. Each row is remembered by its whole
 * content, so an interrupted move goes on at the next start; a move that was
 * completed is not made again.
 *
 * @throws Failure if the queue cannot be read, or the storage cannot be written.
 */
export async function moveIn(
  former: FormerQueue,
  options: StorageOptions & { path?: string },
  log: LogWriter,
  signal: AbortSignal,
): Promise<void> {
  await withStorageFailures(async () => {
    const storage = createStorage(options);
    await openFor(storage, options.path, log);
    try {
      await moveOnce(former, storage, log, signal);
    } finally {
      await storage.close();
    }
  });
}

/** Errors that naming another folder may cure. */
const UNWRITABLE: readonly string[] = ['GEARMAN_STORAGE_READ_ONLY', 'GEARMAN_STORAGE_IO'];

async function openFor(storage: JobStorage, path: string | undefined, log: LogWriter): Promise<void> {
  try {
    await storage.open({
      ready: () => undefined,
      // Not needed, because each job that cannot be written rejects by itself.
      trouble: () => undefined,
      setAside: ({ function: name, reason }) =>
        log.write('ERROR', `a stored job cannot be read: ${reason}`, { function: fromByteString(name) }),
    });
  } catch (error) {
    if (!(error instanceof StorageError) || !UNWRITABLE.includes(error.code)) throw error;
    const message = `${error.message}; --queue-path DIR names another folder than ${path}`;
    throw new Failure(message, undefined, { cause: error });
  }
}

async function moveOnce(former: FormerQueue, storage: JobStorage, log: LogWriter, signal: AbortSignal): Promise<void> {
  const key = `moved-in:${Buffer.from(originOf(former.name), 'latin1').toString('hex')}`;
  const before = storage.settings().get(key);
  if (before !== undefined) {
    const { at, jobs } = JSON.parse(before) as Moved;
    const since = `what is written there since is not looked at (nestjs-gearman import takes it)`;
    log.write('NOTICE', `queue: the ${jobs} jobs of ${former.name} were moved in at ${at}; ${since}`, { count: jobs });
    return;
  }
  const table = former.table();
  if (!table) {
    log.write('NOTICE', `queue: there is no ${former.name}: nothing to move in`);
    return;
  }
  log.write('NOTICE', `queue: moving in what gearmand left in ${former.name}`);
  const progress = ({ read }: ImportCounts): void => log.write('INFO', `queue: ${read} jobs read`, { count: read });
  const counts = await importJobs(jobsOfTable(table), storage, { signal, progress }).catch(noneWithoutTable);
  if (signal.aborted) return;
  report(former, counts, log);
  const moved: Moved = { from: former.name, at: new Date().toISOString(), jobs: counts.read - counts.unfit };
  storage.set(key, JSON.stringify(moved));
  await storage.flush();
}

function report({ name }: FormerQueue, counts: ImportCounts, log: LogWriter): void {
  const { read, added, known, coalesced, unfit, firstUnfit } = counts;
  log.write(
    'NOTICE',
    `queue: moved in from ${name}: ${read} read, ${added} added, ${known} known from an interrupted move, ` +
      `${coalesced} joined to a waiting job of their unique; nothing was deleted there, and nothing is written there any more`,
    { count: added },
  );
  if (firstUnfit)
    log.write('ERROR', `queue: ${unfit} cannot be jobs and were left out; the first: ${firstUnfit.message}`, {
      count: unfit,
    });
}

/** A missing table means that there are no jobs, because gearmand creates it only when it starts. */
function noneWithoutTable(error: unknown): ImportCounts {
  const { code, message = '' } = ((error as Error).cause ?? {}) as { code?: unknown; message?: string };
  const isMissing = code === 'ER_NO_SUCH_TABLE' || code === '42P01' || /^no such table/.test(message);
  if (!(error instanceof Failure) || !isMissing) throw error;
  return { read: 0, added: 0, known: 0, coalesced: 0, unfit: 0, settings: 0 };
}
