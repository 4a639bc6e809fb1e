export {
  GEARMAN_ERRORS,
  GearmanError,
  InvalidOptionError,
  readableLine,
  type Clocks,
  type ErrorDescription,
  type GearmanErrorCode,
  type Log,
  type LogFields,
} from '../ground/index.js';
export type { EngineOptions, JobRecord, JobState, Outcome, Packing } from './engine/index.js';
export type { RelayOptions } from './relay/index.js';
export {
  CertificateError,
  ListenError,
  type AccessRequest,
  type Action,
  type AdminAccess,
  type ListenerAdminAccess,
  type ListenerOptions,
  type PeerInfo,
  type TlsListenerOptions,
} from './front/index.js';
export type { StopOptions } from './draining.js';
export type { AuditEvent, JobEvent, JobServerEvents, WorkerEvent } from './events/index.js';
export type { FunctionPolicies, FunctionPolicy } from './durable/index.js';
export { JOB_SERVER_DEFAULTS, type JobServerOptions, type MetricsOptions } from './job-server-options.js';
export { JobServer, type JobResult, type QueueLimits } from './job-server.js';
export {
  MAX_WATCHERS,
  type DeadLetterSnapshot,
  type FoundJobs,
  type FunctionSnapshot,
  type JobPage,
  type JobQuery,
  type JobSnapshot,
  type JobWatcher,
  type Operations,
  type WorkerSnapshot,
  type WorkloadPreview,
} from './operations/index.js';
export {
  HISTORY_SERIES,
  type History,
  MAX_FUNCTION_HISTORIES,
  MAX_RECENT,
  MAX_RUNS,
  type HistoryResolution,
  type HistorySeriesName,
  type HistorySlice,
  type RecentJob,
  type RecentJobs,
  type RecentRun,
} from './history/index.js';
export { GearmanSchedule, type GearmanScheduleOptions } from './nest/gearman-schedule.decorator.js';
export { GearmanJobServer, type JobServerEvent } from './nest/gearman-job-server.js';
export type { GearmanJobServerOptionsFactory } from './nest/job-server.module-definition.js';
export { GearmanJobServerModule } from './nest/job-server.module.js';
export {
  MAX_SCHEDULES,
  type Schedules,
  type MissedPolicy,
  type OverlapPolicy,
  type Schedule,
  type ScheduleOptions,
  type ScheduleSnapshot,
  type ScheduleSource,
  type ScheduleTable,
  type ScheduleTime,
  type ScheduleWorkload,
  type TickOutcome,
} from './schedules/index.js';
export {
  lastTickIn,
  laterTick,
  LogStorage,
  MemoryJobs,
  MemoryStorage,
  PgStorage,
  StorageError,
  DeadCounts,
  StorageWrites,
  tickName,
  type Adder,
  type CorruptRecord,
  type DeadLetter,
  type Death,
  type DueJobs,
  type FireOutcome,
  type FoundJob,
  type FunctionCounts,
  type Holder,
  type JobChanges,
  type JobCounters,
  type JobOutcome,
  type JobStorage,
  type LastTick,
  type LogStorageOptions,
  type OnceOutcome,
  type PageOptions,
  type Past,
  type PgStorageOptions,
  type QueuedJob,
  type QueueName,
  type Removal,
  type Replay,
  type StorageErrorCode,
  type StorageHealth,
  type StorageListener,
  type StorageOption,
  type StorageOptions,
  type StoredJob,
  type StoredPriority,
} from './storage/index.js';
