/** What is told of a job; see {@link JobServerEvents}. */
export interface JobEvent {
  handle: string;
  function: string;
  unique: string;
  isBackground: boolean;
  /** It waits for its time: it is scheduled, or to be tried again later. */
  isDelayed: boolean;
}

/** What is told of a worker. */
export interface WorkerEvent {
  clientId: string;
  functions: string[];
}

/** Something a person or a program changed over HTTP. */
export interface AuditEvent {
  /** Who, as the access of the web handler names them; `-`: nobody was asked. */
  who: string;
  /** What: `pause`, `purge`, `cancel`, `replay`... */
  action: string;
  /** Of what: a function, a handle, a worker's number. */
  target: string;
  /** How many it was done to. */
  count: number;
  /** The caller's IP address. */
  address: string;
}

/** The events of a {@link JobServer}, by name, with their arguments. */
export interface JobServerEvents {
  /** A job was accepted. A submission that joins a job is no event. */
  submitted: [job: JobEvent];
  /** A worker was given a job. */
  assigned: [job: JobEvent, worker: WorkerEvent];
  completed: [job: JobEvent];
  /** A worker reported failure or an exception, or too many workers were lost. */
  failed: [job: JobEvent];
  /** It was cancelled, or all its clients left before a worker took it. */
  cancelled: [job: JobEvent];
  /** Its worker was lost or took too long, or it failed and is tried again: it waits, or is delayed. */
  requeued: [job: JobEvent];
  /** A connection registered its first function. */
  workerJoined: [worker: WorkerEvent];
  /** A worker gave up its last function, or its connection is gone. */
  workerLeft: [worker: WorkerEvent];
  /** The admin word `shutdown` was said and is switched on. */
  shutdown: [isGraceful: boolean];
  /** Something was changed over HTTP (`nestjs-gearman/web`). */
  audit: [event: AuditEvent];
}
