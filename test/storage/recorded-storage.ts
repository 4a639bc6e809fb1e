import type {
  CorruptRecord,
  JobStorage,
  JobRecord,
  StorageError,
  StorageListener,
  StoredJob,
} from '../../lib/job-server/storage/index.js';

/** A listener that writes down what it is told. */
export class RecordingListener implements StorageListener {
  readonly readyQueues: string[] = [];
  readonly troubles: (StorageError | undefined)[] = [];
  readonly compactions: (StorageError | undefined)[] = [];
  readonly corrupt: CorruptRecord[] = [];
  readonly lostHandles: string[] = [];
  readonly cancelled: string[] = [];
  readonly fences: boolean[] = [];
  readonly heardSettings: (readonly [name: string, value: string | undefined])[] = [];

  ready(functionName: string, priority: number): void {
    this.readyQueues.push(`${functionName}/${priority}`);
  }

  trouble(error: StorageError | undefined): void {
    this.troubles.push(error);
  }

  compaction(error: StorageError | undefined): void {
    this.compactions.push(error);
  }

  setAside(record: CorruptRecord): void {
    this.corrupt.push(record);
  }

  lost(handles: readonly string[]): void {
    this.lostHandles.push(...handles);
  }

  cancel(handle: string): void {
    this.cancelled.push(handle);
  }

  fenced(isFenced: boolean): void {
    this.fences.push(isFenced);
  }

  set(name: string, value: string | undefined): void {
    this.heardSettings.push([name, value]);
  }
}

/** Opens a storage; what it tells from then on is written down. */
export async function openRecorded(storage: JobStorage): Promise<RecordingListener> {
  const listener = new RecordingListener();
  await storage.open(listener);
  return listener;
}

/** The time the tests live in, in milliseconds since 1970. */
export const NOW = 1_700_000_000_000;

let lastHandle = 0;

/** A job with a fresh handle, and defaults for what is not given. */
export function newJob(job: Partial<JobRecord> = {}): JobRecord {
  return {
    handle: `H:test:${++lastHandle}`,
    function: 'reverse',
    unique: '',
    priority: 1,
    workload: 'Hello world!',
    reducer: '',
    at: 0,
    attempts: 0,
    losses: 0,
    ...job,
  };
}

/** What a storage says of a job it was given. */
export interface Addition {
  readonly isLeased: boolean;
  /** What its adder is told: undefined, or the existing job; rejects with why it was refused. */
  readonly stored: Promise<StoredJob | undefined>;
  /** Whether its lease came with the write; once it is stored. */
  readonly isLeasedLate: Promise<boolean>;
}

/** Adds a job. */
export function add(storage: JobStorage, job: JobRecord, lease: boolean | 'always'): Addition {
  let isLeased = false;
  let hasReturned = false;
  let isOver = false;
  let isLate = false;
  const stored = new Promise<StoredJob | undefined>((resolve, reject) => {
    const once = (tell: () => void): void => {
      if (isOver || !hasReturned) throw new Error(`the adder of ${job.handle} was told twice, or within its call`);
      isOver = true;
      tell();
    };
    isLeased = storage.add(job, lease, {
      stored: (existing, isLeasedLate = false) => {
        isLate = isLeasedLate;
        once(() => resolve(existing));
      },
      refused: (error) => once(() => reject(error)),
    });
    hasReturned = true;
  });
  return { isLeased, stored, isLeasedLate: stored.then(() => isLate).catch(() => false) };
}

/** Adds jobs, waits until they are durable, and gives back their handles. */
export async function addAll(storage: JobStorage, ...jobs: JobRecord[]): Promise<string[]> {
  await Promise.all(jobs.map((job) => add(storage, job, false).stored));
  return jobs.map(({ handle }) => handle);
}

/** The handles of jobs, in their order. */
export function handlesOf(jobs: readonly { handle: string }[]): string[] {
  return jobs.map(({ handle }) => handle);
}

/** All items of a paged listing. */
export async function allOf<Item>(pages: AsyncIterable<Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const page of pages) items.push(...page);
  return items;
}

/** A workload's bytes, whichever form it came in. */
export function bytesOf(workload: string | Uint8Array = ''): Buffer {
  return typeof workload === 'string' ? Buffer.from(workload, 'latin1') : Buffer.from(workload);
}
