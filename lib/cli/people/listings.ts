import type { FunctionOverview, ShownJob, WorkerStatus } from '../../driver/index.js';
import { listingCommand } from './listing.js';

/** `nestjs-gearman status`: all functions, with their jobs and workers. */
export const status = listingCommand<FunctionOverview>({
  name: 'status',
  summary:
    'Lists every function: how many jobs run, wait (by priority) and wait for their time, and how many workers can do it.',
  columns: [
    { title: 'FUNCTION', cell: (row) => row.function },
    { title: 'JOBS', cell: (row) => row.total },
    { title: 'RUNNING', cell: (row) => row.running },
    { title: 'HIGH', cell: (row) => row.high },
    { title: 'NORMAL', cell: (row) => row.normal },
    { title: 'LOW', cell: (row) => row.low },
    { title: 'DELAYED', cell: (row) => row.delayed ?? '-' },
    { title: 'WORKERS', cell: (row) => row.workers },
    { title: 'PAUSED', cell: ({ isPaused }) => (isPaused === undefined ? '-' : isPaused ? 'yes' : 'no') },
  ],
  rows: (admin) => admin.functions(),
});

/** `nestjs-gearman workers`: all connections that have registered functions. */
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

/** `nestjs-gearman jobs`: all jobs. */
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
