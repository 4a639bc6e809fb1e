export type { EngineOptions } from './engine/index.js';
export type {
  AccessRequest,
  Action,
  AdminAccess,
  ListenerOptions,
  Log,
  PeerInfo,
  TlsListenerOptions,
} from './front/index.js';
export type { JobEvent, JobServerEvents, WorkerEvent } from './job-server-events.js';
export { InvalidOptionError, JOB_SERVER_DEFAULTS, type JobServerOptions } from './job-server-options.js';
export { JobServer } from './job-server.js';
