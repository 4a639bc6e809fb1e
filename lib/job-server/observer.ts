import type { EventEmitter } from 'node:events';
import { fromByteString } from '../protocol/index.js';
import type { ByteString, Engine, EngineListener, Job, JobSpec, Outcome, Peer } from './engine/index.js';
import type { JobEvent, JobServerEvents, WorkerEvent } from './job-server-events.js';

const EVENT_OF: Record<Outcome, 'completed' | 'failed' | 'cancelled'> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  abandoned: 'cancelled',
};

/** Turns what the engine tells into the job server's events, and costs nothing where nobody listens. */
export class Observer implements Omit<EngineListener, 'due'> {
  constructor(
    private readonly events: EventEmitter<JobServerEvents>,
    private readonly engine: () => Engine,
  ) {}

  submitted(job: Job): void {
    this.tell('submitted', job);
  }

  /** A job went to storage, and not to the engine first. */
  stored(spec: JobSpec, handle: ByteString): void {
    if (this.events.listenerCount('submitted') === 0) return;
    const { function: name, unique, isBackground } = spec;
    this.events.emit('submitted', {
      handle: fromByteString(handle),
      function: fromByteString(name),
      unique: fromByteString(unique),
      isBackground,
    });
  }

  assigned(job: Job, worker: Peer): void {
    if (this.events.listenerCount('assigned') > 0)
      this.events.emit('assigned', this.jobEvent(job), workerEvent(worker));
  }

  requeued(job: Job): void {
    this.tell('requeued', job);
  }

  ended(job: Job, outcome: Outcome): void {
    this.tell(EVENT_OF[outcome], job);
  }

  workerChanged(worker: Peer): void {
    this.events.emit(worker.abilities.size > 0 ? 'workerJoined' : 'workerLeft', workerEvent(worker));
  }

  private tell(event: 'submitted' | 'requeued' | 'completed' | 'failed' | 'cancelled', job: Job): void {
    if (this.events.listenerCount(event) > 0) this.events.emit(event, this.jobEvent(job));
  }

  private jobEvent(job: Job): JobEvent {
    return {
      handle: fromByteString(this.engine().handleOf(job)),
      function: fromByteString(job.function_.name),
      unique: fromByteString(job.unique),
      isBackground: job.isBackground,
    };
  }
}

function workerEvent(worker: Peer): WorkerEvent {
  const functions = [...worker.abilities.keys()].map(({ name }) => fromByteString(name));
  return { clientId: fromByteString(worker.clientId), functions };
}
