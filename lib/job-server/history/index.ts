export { History, MAX_FUNCTION_HISTORIES, type HistoryResolution, type HistorySlice } from './history.js';
export { MAX_RECENT, type RecentJob, type RecentJobs } from './recent-jobs.js';
export { HISTORY_SERIES, type HistorySeriesName } from './sample-ring.js';
