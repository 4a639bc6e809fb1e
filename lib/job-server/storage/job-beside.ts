import type { DeadLetter, StoredJob } from './stored-job.js';

/** What is read beside a storage's owner: a job that waits or runs, a dead letter, or a record that cannot be read. */
export type JobBeside =
  | { readonly is: 'job'; readonly job: StoredJob }
  | { readonly is: 'dead'; readonly letter: DeadLetter }
  | { readonly is: 'unreadable'; readonly reason: string };
