import type { Alarm, Log } from '../../ground/index.js';
import type { ByteString, Job, JobSpec, Peer } from '../engine/index.js';
import type { Holder, JobRecord } from '../storage/index.js';
import type { FunctionPolicies } from './function-policy.js';

/** What the promise needs of the job server around it. */
export interface DurableHost {
  readonly log: Log;
  /** Its clocks, and the alarm by which `tick` is called when it is time. */
  readonly time: Alarm;
  /** The other job servers of a shared storage; missing where it is not shared. */
  readonly elsewhere?: Elsewhere | undefined;
  /** Another job server of the storage has set something by a name. */
  heard(name: string): void;
  /** A background job was accepted. */
  accepted(spec: JobSpec, handle: ByteString): void;
}

/** How a job is doing, as its job server tells it. */
export interface JobProgress {
  readonly isRunning: boolean;
  readonly numerator: ByteString;
  readonly denominator: ByteString;
}

/** The other job servers of a shared storage, and those of their jobs that clients here wait for. */
export interface Elsewhere {
  /** Whether the job server of a lease has said where it is reached, and can be reached. */
  reaches(holder: Holder): boolean;
  /** A client here waits for a job that another job server has, or that waits in storage (without `holder`). */
  follow(job: JobRecord, holder: Holder | undefined, client: Peer): void;
  /** A job that clients here wait for was given back to the storage. */
  givenBack(job: Job): void;
  /** A job was leased to this job server; it may have been followed before. */
  leased(job: Job): void;
  /** A job has ended here; it may have been followed before. */
  ended(job: Job): void;
  /** Whether a job is only followed here. */
  has(job: Job): boolean;
  /** What another job server says of a job that it has; undefined where it cannot be asked, or no longer has it. */
  status(holder: Holder, handle: ByteString): Promise<JobProgress | undefined>;
}

/** What can be chosen about it; see `JobServerOptions`. */
export interface DurableOptions {
  /** How many jobs of a function and priority the engine has at most. */
  readonly window: number;
  readonly policies: FunctionPolicies;
  /** How long the results of ended jobs can be asked for, in milliseconds. */
  readonly keepResults: number;
}
