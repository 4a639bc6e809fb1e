import type { StoredJob } from '../../../lib/job-server/storage/index.js';
import { Leasing } from '../../../lib/job-server/storage/log/leasing.js';
import { readLog } from '../../../lib/job-server/storage/log/recovery.js';

/** What the log in a folder says when it is read as at a start. */
export interface JobsRead {
  readonly jobs: readonly StoredJob[];
  /** How many its queues count. */
  readonly counted: number;
  readonly damages: readonly string[];
}

/** Reads all jobs of a log, waiting ones and those with a time. */
export function jobsRead(path: string): JobsRead {
  const damages: string[] = [];
  const index = readLog(path, ({ reason }) => damages.push(reason));
  const leasing = new Leasing(index);
  const jobs: StoredJob[] = [];
  let counted = 0;
  for (const queue of index.queues.values()) {
    counted += queue.counts[0];
    for (let entry = leasing.take(queue, Infinity); entry; entry = leasing.take(queue, Infinity)) {
      index.setInMemory(entry.stored!.number);
      jobs.push(entry.job);
    }
  }
  index.close();
  return { jobs, counted, damages };
}
