export { lookAgainFor, type Moment } from './clock.js';
export { Engine } from './engine.js';
export { ENGINE_DEFAULTS, type EngineOptions } from './engine-options.js';
export { MAX_HANDLE_PREFIX_BYTES, RUN_DIGITS, counterLength } from './handle.js';
export { NOTHING_SET, type FunctionSettings } from './function-settings.js';
export {
  coalescingKey,
  workloadDigest,
  PRIORITIES,
  Priority,
  type ByteString,
  type JobHistory,
  type JobRecord,
  type JobSpec,
  type JobState,
  type Outcome,
  type Workload,
} from './job-spec.js';
export { FunctionStats } from './function-stats.js';
export type { Functions } from './functions.js';
export type { EngineListener, FailedRun } from './listener.js';
export { elapsed, GearmanFunction, Job, Peer, type GrabKind, type PeerListener } from './model.js';
export * from './refusal.js';
export { TransientMap } from './transient-map.js';
export { Touched, type Watch } from './touched.js';
export { Timers, type Timer } from './timers.js';
export type { Packing } from './job-queue.js';
