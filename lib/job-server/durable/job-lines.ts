import type { ByteString, Priority, Workload } from '../engine/index.js';

/** How many stored jobs a list reads at once: the event loop has a turn between. */
export const LISTED_AT_ONCE = 500;

/** What storage knows of a handle; a kept result where results are kept. */
export type StoredState =
  | { readonly state: 'waiting' | 'unknown' }
  | { readonly state: 'running'; readonly numerator: ByteString; readonly denominator: ByteString }
  | { readonly state: 'complete' | 'failed'; readonly result: Workload };

/** What the admin lists tell of a job that waits in storage only. */
export interface StoredLine {
  readonly handle: ByteString;
  readonly unique: ByteString;
  readonly losses: number;
}

/** A background job that failed for good. Names are byte strings, the error is text. */
export interface DeadLetterLine {
  readonly handle: ByteString;
  readonly function: ByteString;
  readonly unique: ByteString;
  /** How often it was tried again. */
  readonly attempts: number;
  /** How often its worker was lost. */
  readonly losses: number;
  /** Why it failed the last time. */
  readonly error: string;
  /** When it was given up, in milliseconds since 1970. */
  readonly diedAt: number;
}

/** A dead letter with its job. */
export interface DeadLetterPage extends DeadLetterLine {
  readonly priority: Priority;
  readonly workload: Workload;
}
