export { History, MAX_FUNCTION_HISTORIES, type HistoryResolution, type HistorySlice } from './history.js';
export { MAX_RECENT, MAX_RUNS, type RecentJob, type RecentJobs, type RecentRun } from './recent-jobs.js';
export { HISTORY_SERIES, type HistorySeriesName } from './sample-ring.js';
