import { digestOf } from '../../ground/index.js';

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

/**
 * One job as it is kept, whoever has it: the engine, a storage, a file on its way to
 * another job server. It is never changed. Every text is a byte string: one character
 * a byte (U+0000 to U+00FF), so names are kept as they came.
 */
export interface JobRecord {
  /** Unique over all servers and restarts; at most 255 bytes. */
  readonly handle: string;
  /** The Gearman function; at most 1,000 bytes. */
  readonly function: string;
  /** Jobs of one function with the same unique are one job; `''`: none. A digest stands for the workload where that is the unique. */
  readonly unique: string;
  /** Its bytes; not to be changed once the job was handed over. */
  readonly workload: string | Uint8Array;
  /** 0 high, 1 normal, 2 low. */
  readonly priority: 0 | 1 | 2;
  /** The reducer of SUBMIT_REDUCE_JOB, for a worker that asks with GRAB_JOB_ALL; `''`: none. */
  readonly reducer: string;
  /** Not to be run before this time, in milliseconds since 1970; 0 for at once. */
  readonly at: number;
  /** How often a worker reported its failure. */
  readonly attempts: number;
  /** How often a worker vanished with it. */
  readonly losses: number;
  /** When it was accepted, or let wait again as if it had been, in milliseconds since 1970; missing where nobody knows. */
  readonly acceptedAt?: number | undefined;
}

/** What the job server adds to a submission. */
export type JobHistory = Pick<JobRecord, 'handle' | 'attempts' | 'losses'>;

/** A job as it is submitted; as unique, `-` makes the workload the unique. */
export interface JobSpec extends Pick<JobRecord, 'function' | 'unique' | 'workload' | 'priority' | 'at'> {
  readonly reducer?: ByteString | undefined;
  readonly isBackground: boolean;
  /** What travels beside the workload, as JSON in UTF-8; the engine never looks inside, and nothing coalesces by it. */
  readonly metadata?: ByteString | undefined;
  /** What made it, where no peer submitted it: such jobs are counted apart. */
  readonly madeBy?: 'schedule' | 'http';
}

/** How many bytes a digest has: shorter workloads are keys themselves, and so none of them equals one. */
const DIGEST_BYTES = 32;

/**
 * The key by which a job coalesces within its function: its unique, or its
 * workload when the unique is `-`. A digest stands for one that is longer than
 * that: it takes 40 ms for 64 MiB, and is looked up at once.
 */
export function coalescingKey({ unique, workload }: Pick<JobSpec, 'unique' | 'workload'>): ByteString | undefined {
  if (unique !== '-') return unique === '' ? undefined : unique;
  if (workload.length === 0) return undefined;
  // A unique has no NUL in it, so no unique equals this key.
  return `\0${workload.length < DIGEST_BYTES ? bytesOf(workload).toString('latin1') : workloadDigest(workload)}`;
}

/** What stands for a workload that is its own unique. */
export function workloadDigest(workload: Workload): ByteString {
  return digestOf(bytesOf(workload));
}

function bytesOf(workload: Workload): Buffer {
  return typeof workload === 'string'
    ? Buffer.from(workload, 'latin1')
    : Buffer.from(workload.buffer, workload.byteOffset, workload.length);
}
