import { JobsBeside } from '../../job-server/storage/index.js';
import { UsageFailure } from '../failure.js';
import { toggle, valued } from '../options/option.js';
import { text } from '../options/values.js';
import { withStorageFailures } from './storage-failure.js';

/** Options of the commands that read a folder while its job server runs. */
export const BESIDE_OPTIONS = {
  'lmdb-path': valued('The job server’s folder.', text, { argument: 'DIR' }),
  help: toggle('Show this page.'),
} as const;

/** Opens a folder beside its job server, and closes it in the end. */
export async function beside(path: string | undefined, action: (jobs: JobsBeside) => Promise<void>): Promise<void> {
  if (path === undefined) throw new UsageFailure('--lmdb-path DIR is missing: the job server’s folder');
  await withStorageFailures(async () => {
    const jobs = await JobsBeside.open(path);
    try {
      await action(jobs);
    } finally {
      await jobs.close();
    }
  });
}
