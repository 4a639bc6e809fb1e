import { LogBeside, PgBeside } from '../../job-server/storage/index.js';
import { UsageFailure } from '../failure.js';
import { toggle } from '../options/option.js';
import type { databaseOf } from './fleet-database.js';
import { QUEUE_PATH, queuePathOf, type PathValues } from './queue-path.js';
import { withStorageFailures } from './storage-failure.js';

/** Options of the commands that read a folder while its job server runs. */
export const BESIDE_OPTIONS = {
  ...QUEUE_PATH,
  help: toggle('Show this page.'),
} as const;

/** Opens a folder beside its job server for an action, and closes it afterwards. */
export async function beside(values: PathValues, action: (jobs: LogBeside) => Promise<void>): Promise<void> {
  const path = queuePathOf(values);
  if (path === undefined) throw new UsageFailure('--queue-path DIR is missing: the job server’s folder');
  await opened(() => LogBeside.open(path), action);
}

/** The same with the database of several job servers. */
export async function besideFleet(
  database: NonNullable<ReturnType<typeof databaseOf>>,
  action: (jobs: PgBeside) => Promise<void>,
): Promise<void> {
  await opened(() => PgBeside.open(database), action);
}

async function opened<Jobs extends { close(): Promise<void> }>(
  open: () => Promise<Jobs>,
  action: (jobs: Jobs) => Promise<void>,
): Promise<void> {
  await withStorageFailures(async () => {
    const jobs = await open();
    try {
      await action(jobs);
    } finally {
      await jobs.close();
    }
  });
}
