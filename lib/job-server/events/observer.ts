import type { EventEmitter } from 'node:events';
import { fromByteString } from '../../protocol/index.js';
import type { ByteString, Engine, EngineListener, Job, JobSpec, Outcome, Peer } from '../engine/index.js';
import type { JobEvent, JobServerEvents, WorkerEvent } from './job-server-events.js';
import type { Log } from '../../ground/index.js';

const EVENT_OF: Record<Outcome, 'completed' | 'failed' | 'cancelled'> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  abandoned: 'cancelled',
};

/**
 * Turns what the engine tells into the job server's events, and costs nothing
 * where nobody listens. A listener that throws is logged: the engine is in the
 * middle of something, and neither it nor the peer at work is to blame.
 */
export class Observer implements Omit<EngineListener, 'due'> {
  constructor(
    private readonly events: EventEmitter<JobServerEvents>,
    private readonly engine: () => Engine,
    private readonly log: Log,
  ) {}

  submitted(job: Job): void {
    this.tell('submitted', job);
  }

  /** A job went to storage, and not to the engine first. */
  stored(spec: JobSpec, handle: ByteString): void {
    if (this.events.listenerCount('submitted') === 0) return;
    const { function: name, unique, isBackground, at } = spec;
    const isDelayed = at > Date.now();
    const event = { handle: fromByteString(handle), function: fromByteString(name), unique: fromByteString(unique) };
    this.guard('submitted', event, () => this.events.emit('submitted', { ...event, isBackground, isDelayed }));
  }

  assigned(job: Job, worker: Peer): void {
    if (this.events.listenerCount('assigned') === 0) return;
    const event = this.jobEvent(job);
    this.guard('assigned', event, () => this.events.emit('assigned', event, workerEvent(worker)));
  }

  requeued(job: Job): void {
    this.tell('requeued', job);
  }

  /** A job waits for its time in storage alone. */
  parked(job: Job): void {
    this.tell('requeued', job, true);
  }

  ended(job: Job, outcome: Outcome): void {
    this.tell(EVENT_OF[outcome], job);
  }

  workerChanged(worker: Peer): void {
    const name = worker.abilities.size > 0 ? 'workerJoined' : 'workerLeft';
    this.guard(name, undefined, () => this.events.emit(name, workerEvent(worker)));
  }

  private tell(
    event: 'submitted' | 'requeued' | 'completed' | 'failed' | 'cancelled',
    job: Job,
    isDelayed?: boolean,
  ): void {
    if (this.events.listenerCount(event) === 0) return;
    const about = this.jobEvent(job, isDelayed);
    this.guard(event, about, () => this.events.emit(event, about));
  }

  private guard(
    name: keyof JobServerEvents,
    job: Pick<JobEvent, 'function' | 'handle'> | undefined,
    emit: () => void,
  ): void {
    try {
      emit();
    } catch (error) {
      const about = job && { function: job.function, handle: job.handle };
      this.log('error', `a listener of '${name}' threw: ${String(error)}`, about);
    }
  }

  private jobEvent(job: Job, isDelayed = job.state === 'delayed'): JobEvent {
    return {
      handle: fromByteString(this.engine().handleOf(job)),
      function: fromByteString(job.function_.name),
      unique: fromByteString(job.unique),
      isBackground: job.isBackground,
      isDelayed,
    };
  }
}

function workerEvent(worker: Peer): WorkerEvent {
  const functions = [...worker.abilities.keys()].map(({ name }) => fromByteString(name));
  return { clientId: fromByteString(worker.clientId), functions };
}
