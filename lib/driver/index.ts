export type { BackoffOptions, ServerAddress, SocketAddress, StreamAddress, TlsOptions } from '../connection/index.js';
export type { AssignedJob, FunctionOptions, JobHandler, JobResult } from './assigned-job.js';
export type { DriverEvents, DriverOptions } from './driver-options.js';
export {
  GEARMAN_ERRORS,
  GearmanError,
  InvalidOptionError,
  type ErrorDescription,
  type GearmanErrorCode,
} from '../ground/index.js';
export { SendBufferFullError } from '../connection/index.js';
export { ProtocolError, type ProtocolErrorCode } from '../protocol/index.js';
export * from './errors.js';
export { JobClient, type JobClientOptions } from './job-client.js';
export type { ServerChoice } from './server-choice.js';
export { fitMetadata, isMetadata, type FittingMetadata, type GearmanMetadata } from './metadata.js';
export type {
  JobIdentity,
  JobObserver,
  JobPriority,
  JobRequest,
  JobStatus,
  KeptResult,
  Submission,
} from './job-request.js';
export { JobWorker, type CloseOptions, type JobWorkerOptions } from './job-worker.js';
export type {
  DeadJob,
  DeadJobDetails,
  FunctionActivity,
  FunctionJob,
  FunctionOverview,
  ScheduleStatus,
  FunctionPriorities,
  FunctionStatus,
  ShownJob,
  WorkerStatus,
} from './admin-answers.js';
export { AdminClient, type AdminClientOptions, type QueueLimit } from './admin-client.js';
