export { JobServerMetrics, type MeasuredJobServer } from './job-server-metrics.js';
