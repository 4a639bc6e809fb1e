export type { JobQuery } from './job-query.js';
export { Operations, type FoundJobs, type JobPage, type WorkloadPreview } from './operations.js';
export { MAX_WATCHERS, type JobWatcher } from './watchers.js';
export {
  deadLetterSnapshot,
  functionSnapshot,
  jobSnapshot,
  workerSnapshot,
  type DeadLetterSnapshot,
  type FunctionSnapshot,
  type JobSnapshot,
  type WorkerSnapshot,
} from './snapshots.js';
