import type { Alarm } from '../alarm.js';
import type { ByteString, JobSpec } from '../engine/index.js';
import type { Log } from '../log.js';
import type { FunctionPolicies } from './function-policy.js';

/** What the promise needs of the job server around it. */
export interface DurableHost {
  readonly log: Log;
  /** Its clocks, and who has `tick` called when it is time. */
  readonly time: Alarm;
  /** A background job was taken. */
  accepted(spec: JobSpec, handle: ByteString): void;
}

/** What can be chosen about it; see `JobServerOptions`. */
export interface DurableOptions {
  /** How many jobs of a function and priority the engine holds at most. */
  readonly window: number;
  readonly policies: FunctionPolicies;
  /** How long the results of ended jobs can be asked for, in milliseconds. */
  readonly keepResults: number;
}
