export { Answer, queueError, type Submitted } from './answer.js';
export type { DeadCounts } from '../storage/index.js';
export { DeadLetters } from './dead-letters.js';
export type { DurableHost, DurableOptions, Elsewhere, JobProgress } from './durable-host.js';
export { DurableJobs } from './durable-jobs.js';
export { validatePolicies, type FunctionPolicies, type FunctionPolicy } from './function-policy.js';
export type { DeadLetterLine, DeadLetterPage, StoredLine, StoredState } from './job-lines.js';
export { specOf, storedUnique, wireUnique } from './job-record.js';
