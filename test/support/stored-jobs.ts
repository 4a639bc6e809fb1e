import {
  LogStorage,
  type DeadLetter,
  type JobStorage,
  type JobRecord,
  type StoredJob,
} from '../../lib/job-server/storage/index.js';

const DEAF = { ready: () => undefined, trouble: () => undefined, setAside: () => undefined };

/** Runs an action on the storage of a folder that no job server has open. */
export async function withStorage<Result>(
  path: string,
  action: (storage: JobStorage) => Promise<Result>,
): Promise<Result> {
  const storage = new LogStorage({ path });
  await storage.open(DEAF);
  try {
    return await action(storage);
  } finally {
    await storage.close();
  }
}

/** All jobs of a folder: by function, by priority, and in their order. */
export function jobsIn(path: string): Promise<StoredJob[]> {
  return withStorage(path, async (storage) => {
    const jobs = await all(storage.iterate());
    const functions = [...new Set(jobs.map((job) => job.function))].sort();
    const placeOf = (job: StoredJob): number[] => [
      functions.indexOf(job.function),
      job.priority,
      Number(job.at > 0),
      job.sequence,
    ];
    return jobs.sort((one, other) => compare(placeOf(one), placeOf(other)));
  });
}

/** All dead letters of a folder. */
export function deadLettersIn(path: string): Promise<DeadLetter[]> {
  return withStorage(path, (storage) => all(storage.deadLetters()));
}

/** Ends the first jobs of a folder, as workers would, and returns them. */
export function workOff(path: string, count: number, functionName: string): Promise<StoredJob[]> {
  return withStorage(path, async (storage) => {
    const jobs = await storage.lease(functionName, 1, count, Date.now());
    for (const { handle } of jobs) storage.done(handle);
    return jobs;
  });
}

/** The content of a job, without its handle and place. */
export function contentOf({ function: name, unique, priority, workload, at }: JobRecord): unknown[] {
  const bytes = typeof workload === 'string' ? workload : Buffer.from(workload).toString('latin1');
  return [name, unique, priority, bytes, at];
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((value, at) => value !== other[at]);
  return index < 0 ? 0 : one[index]! - other[index]!;
}

async function all<Item>(pages: AsyncIterable<Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}
