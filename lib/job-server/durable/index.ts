export { Answer, queueError, type Submitted } from './answer.js';
export { DeadLetters } from './dead-letters.js';
export { DurableJobs } from './durable-jobs.js';
export { validatePolicies, type FunctionPolicies, type FunctionPolicy } from './function-policy.js';
export type { DeadLetterLine, DeadLetterPage, StoredLine, StoredState } from './job-lines.js';
export { storedUnique } from './job-record.js';
export { Retries } from './retries.js';
export { wireUnique } from './job-record.js';
