export { logFailure } from './failure-log.js';
export type { AuditEvent, JobEvent, JobServerEvents, WorkerEvent } from './job-server-events.js';
export { Observer } from './observer.js';
