export type { JobQuery } from './job-query.js';
export { Operations, type FoundJobs, type JobPage, type WorkloadPreview } from './operations.js';
export { MAX_WATCHERS, type JobWatcher } from './watchers.js';
