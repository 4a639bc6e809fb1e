import type { DeadLetter, StoredJob } from './stored-job.js';

/** What {@link JobsBeside} reads: a job that waits or runs, a dead letter, or a record that cannot be read. */
export type JobBeside =
  | { readonly is: 'job'; readonly job: StoredJob }
  | { readonly is: 'dead'; readonly letter: DeadLetter }
  | { readonly is: 'unreadable'; readonly reason: string };

/**
 * The jobs of a folder, read beside the process that owns it, or without one.
 * It owns nothing, writes nothing to the folder and holds no writer up.
 */
export interface JobsBeside {
  /** All jobs as this moment has them: each function's by priority, in their order, then the dead letters. */
  read(): Generator<JobBeside>;
  /** What is kept beside the jobs. */
  settings(): ReadonlyMap<string, string>;
  /** Copies the folder, as this moment has it, to a new one. */
  copy(path: string): Promise<void>;
  close(): Promise<void>;
}
