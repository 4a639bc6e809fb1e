import type { FunctionPriorities, FunctionStatus, ShownJob, WorkerStatus } from '../../driver/index.js';
import { listingCommand } from './listing.js';

type FunctionRow = FunctionStatus & FunctionPriorities;

/** `nestjs-gearman status`: every function, its jobs and workers. */
export const status = listingCommand<FunctionRow>({
  name: 'status',
  summary: 'Lists every function: how many jobs wait and run, and how many workers can do it.',
  columns: [
    { title: 'FUNCTION', cell: (row) => row.function },
    { title: 'JOBS', cell: (row) => row.total },
    { title: 'RUNNING', cell: (row) => row.running },
    { title: 'HIGH', cell: (row) => row.high },
    { title: 'NORMAL', cell: (row) => row.normal },
    { title: 'LOW', cell: (row) => row.low },
    { title: 'WORKERS', cell: (row) => row.workers },
  ],
  async rows(admin) {
    const [functions, priorities] = [await admin.status(), await admin.priorityStatus()];
    const byName = new Map(priorities.map((row) => [row.function, row]));
    return functions.map((row) => ({ ...NOTHING_QUEUED, ...byName.get(row.function), ...row }));
  },
});

const NOTHING_QUEUED = { high: 0, normal: 0, low: 0 };

/** `nestjs-gearman workers`: every connection that can do something. */
export const workers = listingCommand<WorkerStatus>({
  name: 'workers',
  summary: 'Lists every worker: where it is, what it calls itself, and what it can do.',
  columns: [
    { title: 'ADDRESS', cell: (row) => row.address },
    { title: 'ID', cell: (row) => row.clientId || '-' },
    { title: 'FUNCTIONS', cell: (row) => row.functions },
  ],
  rows: async (admin) => (await admin.workers()).filter((row) => row.functions.length > 0),
});

/** `nestjs-gearman jobs`: every job. */
export const jobs = listingCommand<ShownJob>({
  name: 'jobs',
  summary:
    'Lists every job: how often its worker was lost, whether its clients have left, whether it is in the background.',
  columns: [
    { title: 'HANDLE', cell: (row) => row.handle },
    { title: 'LOST WORKERS', cell: (row) => row.retries },
    { title: 'ABANDONED', cell: (row) => (row.isIgnored ? 'yes' : 'no') },
    { title: 'BACKGROUND', cell: (row) => (row.isQueued ? 'yes' : 'no') },
  ],
  rows: (admin) => admin.jobs(),
});
