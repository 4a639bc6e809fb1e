/** A string with one character a byte, as names travel on the wire; see `ByteString` in lib/protocol. */
export type ByteString = string;

/** A job's argument: small ones as byte strings, the cheapest form in memory, large ones as bytes. The engine never looks inside. */
export type Workload = ByteString | Uint8Array;

/** High before normal before low; the number is the index of the queue. */
export const Priority = { high: 0, normal: 1, low: 2 } as const;
export type Priority = (typeof Priority)[keyof typeof Priority];

/** The priorities in the order they are served. */
export const PRIORITIES: readonly Priority[] = [Priority.high, Priority.normal, Priority.low];

/**
 * Where a job is in its life.
 *
 *   submit --> waiting --grab--> running --result--> ended
 *     |          ^  ^              |
 *     +-> delayed+  +--worker lost-+--too often----> ended
 */
export type JobState = 'delayed' | 'waiting' | 'running' | 'ended';

/** How a job ended. */
export type Outcome = 'completed' | 'failed' | 'cancelled' | 'abandoned';

/** What a job is made of; the engine keeps the rest. */
export interface JobSpec {
  readonly function: ByteString;
  /** Empty: no coalescing. `-`: the workload is the key. */
  readonly unique: ByteString;
  readonly workload: Workload;
  readonly priority: Priority;
  readonly isBackground: boolean;
  /** Handed to a worker that asks with GRAB_JOB_ALL. */
  readonly reducer?: ByteString;
  /** What travels beside the workload, as JSON in UTF-8; the engine never looks inside, and nothing coalesces by it. */
  readonly metadata?: ByteString | undefined;
  /** When the job may run, in milliseconds since 1970; 0: at once. */
  readonly runAt: number;
  /** What made it, where no peer submitted it: such jobs are counted apart. */
  readonly madeBy?: 'schedule' | 'http';
}
