import { EventEmitter } from 'node:events';
import type { FunctionOptions, JobHandler } from './assigned-job.js';
import type { DriverEvents, DriverOptions } from './driver-options.js';

/** Options of a {@link JobWorker}. */
export interface JobWorkerOptions extends DriverOptions {
  /** How many jobs run at once in this process, over all job servers; functions with their own do not count. Default 10. */
  concurrency?: number;
  /** Asks for a job's reducer too (GRAB_JOB_ALL). Default false. */
  reducers?: boolean;
  /** Lets a single job server that can push assignments (ALL_YOURS). Default true. */
  push?: boolean;
  /**
   * How often a sleeping worker looks for jobs nobody woke it for, in
   * milliseconds; 0 switches it off. C gearmand wakes nobody for a job whose
   * time (`at`) has come. Default 5_000.
   */
  pollInterval?: number;
}

/** How a worker leaves. */
export interface CloseOptions {
  /** How long running jobs may take to finish, in milliseconds; then their signals abort and they are left to others. Default 10_000. */
  gracePeriod?: number;
}

/** Serves functions to all its job servers at once. */
export class JobWorker extends EventEmitter<DriverEvents> {
  constructor(readonly options: JobWorkerOptions = {}) {
    super();
  }

  /** Serves a function, from {@link start} on, or at once when that was. */
  register(_functionName: string, _handler: JobHandler, _options: FunctionOptions = {}): void {
    throw new Error('under construction');
  }

  /**
   * Connects to every job server; resolves when the first has registered the functions.
   *
   * @throws NoServerError after `connectTimeout`; the attempts go on until {@link close}.
   */
  async start(): Promise<void> {}

  /** Names of the job servers that are connected now. */
  get connectedServers(): string[] {
    throw new Error('under construction');
  }

  /** How many jobs run now. */
  get runningJobs(): number {
    throw new Error('under construction');
  }

  /**
   * Leaves without loss: takes no more jobs, lets the running ones finish and
   * delivers their results, then disconnects.
   */
  async close(_options: CloseOptions = {}): Promise<void> {}
}
