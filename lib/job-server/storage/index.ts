export { createStorage, type StorageOptions } from './create-storage.js';
export type {
  Adder,
  CorruptRecord,
  DueJobs,
  FireOutcome,
  JobStorage,
  PageOptions,
  StorageListener,
} from './job-storage.js';
export {
  LEASE_BYTES,
  MAX_HANDLE_BYTES,
  MAX_SETTING_BYTES,
  MAX_SETTING_NAME_BYTES,
  MAX_SETTINGS,
  MAX_TIME,
} from './job-limits.js';
export type { JobBeside } from './job-beside.js';
export { LogBeside } from './log/log-beside.js';
export type { LogStorageOptions } from './log/log-options.js';
export { DeadCounts } from './dead-counts.js';
export { idsOfTicks, lastTickIn, laterTick, tickName, type LastTick } from './last-tick.js';
export { LogStorage } from './log/log-storage.js';
export { MemoryJobs } from './memory/memory-jobs.js';
export { MemoryStorage } from './memory/memory-storage.js';
export { PgBeside } from './postgres/pg-beside.js';
export type { PgStorageOptions } from './postgres/pg-options.js';
export { PgStorage } from './postgres/pg-storage.js';
export { isAlive, type Owner } from './folder/owner.js';
export { closedError, StorageError, type StorageErrorCode } from './storage-error.js';
export { storageOf, type StorageOption } from './storage-option.js';
export { StorageWrites, type StorageHealth } from './storage-health.js';
export type {
  Death,
  DeadLetter,
  FoundJob,
  FunctionCounts,
  Holder,
  JobChanges,
  JobCounters,
  JobOutcome,
  JobRecord,
  OnceOutcome,
  Past,
  QueuedJob,
  QueueName,
  Removal,
  Replay,
  StoredJob,
  StoredPriority,
} from './stored-job.js';
export { readySince } from './stored-job.js';
