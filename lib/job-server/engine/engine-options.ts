import type { Packing } from './job-queue.js';
import type { ByteString } from './job-spec.js';

/** How the engine behaves. */
export interface EngineOptions {
  /** What every handle begins with; no other job server and no earlier run may have used it. */
  handlePrefix: ByteString;
  /**
   * In which order a worker's jobs are given out. `2.0`: priority over all its
   * functions, round-robin between functions of equal priority, first in first out
   * within one. `1.1`: one function after the other, last registered first,
   * priority only within each; a lost worker's jobs go to the end. Default `2.0`.
   */
  order?: '2.0' | '1.1';
  /** After how many lost workers a job fails; 0: never. Default 0. */
  jobRetries?: number;
  /** How many sleepers a job wakes; 0: all of them. Default 1. */
  wakeupsPerJob?: number;
  /** How long a woken worker may take to ask before another is woken, in milliseconds. Default 1,000. */
  wakeTimeout?: number;
  /** How long a queued foreground job stays after its last client left, in milliseconds. Default 60,000. */
  abandonedTimeout?: number;
  /** The most jobs in memory over all functions. Default 16,000,000. */
  maxJobs?: number;
  /** The most functions. Default 100,000. */
  maxFunctions?: number;
  /** The most jobs a submission may find in its function, by priority (high, normal, low); 0: no limit. */
  maxQueue?: readonly [number, number, number];
  /** The most jobs one worker connection runs at once; 0: no limit. */
  maxRunningPerWorker?: number;
  /**
   * How many stored jobs are in memory for each function and priority at most; fewer where they
   * are long: those of 16 MiB. Default 1,000.
   */
  window?: number;
  /** When jobs that wait are packed. Default: from 256 of a function and priority on, 64 in a pack. */
  packing?: Packing;
}

/** The defaults of {@link EngineOptions}. */
export const ENGINE_DEFAULTS = {
  order: '2.0',
  jobRetries: 0,
  wakeupsPerJob: 1,
  wakeTimeout: 1_000,
  abandonedTimeout: 60_000,
  maxJobs: 16_000_000,
  maxFunctions: 100_000,
  maxQueue: [0, 0, 0],
  maxRunningPerWorker: 0,
  window: 1_000,
  packing: { from: 256, size: 64 },
} as const satisfies Omit<Required<EngineOptions>, 'handlePrefix'>;
