import type { Alarm, Log } from '../../ground/index.js';
import type { DurableJobs, Submitted } from '../durable/index.js';
import { Refusal, type Engine, type JobSpec } from '../engine/index.js';
import type { ScheduleHost } from './schedule-host.js';
import { closedError, laterTick, tickName, type FireOutcome } from '../storage/index.js';

/** What schedules use of a job server. */
export interface ScheduledJobServer {
  readonly log: Log;
  readonly time: Alarm;
  readonly engine: Engine;
  /** Whether it accepts jobs: it has started, and is not ending. */
  readonly acceptsJobs: boolean;
  readonly storedJobs: DurableJobs | undefined;
  /** Why it never accepts such a job. */
  refusalOf(spec: JobSpec): Refusal | undefined;
  /** Submits a background job that no client waits for. */
  submitForNobody(spec: JobSpec): Promise<Submitted>;
}

/** How schedules reach the jobs of a job server: those in its storage, or in memory where it has none. */
export function scheduleHost(jobServer: ScheduledJobServer): ScheduleHost {
  const { storedJobs } = jobServer;
  return storedJobs ? new StoredHost(jobServer, storedJobs) : new MemoryHost(jobServer);
}

class StoredHost implements ScheduleHost {
  readonly isKept = true;
  readonly isShared: boolean;

  constructor(
    private readonly jobServer: ScheduledJobServer,
    private readonly jobs: DurableJobs,
  ) {
    this.isShared = jobs.isShared;
  }

  get log(): Log {
    return this.jobServer.log;
  }

  get time(): Alarm {
    return this.jobServer.time;
  }

  get isReady(): boolean {
    return this.jobServer.acceptsJobs && this.jobs.isReady;
  }

  settings(): ReadonlyMap<string, string> {
    return this.jobs.kept();
  }

  set(name: string, value: string | undefined): void {
    // A storage that is not open would forget it without a word.
    if (!this.jobs.isReady) throw closedError();
    this.jobs.keep(name, value);
  }

  async fire(id: string, tick: number, spec?: JobSpec): Promise<FireOutcome> {
    const refusal = spec && this.jobServer.refusalOf(spec);
    if (refusal) throw refused(refusal);
    return this.jobs.fire(id, tick, spec);
  }

  submit(spec: JobSpec): Promise<string> {
    return handleOf(this.jobServer.submitForNobody(spec));
  }

  isQueued(handle: string): Promise<boolean> {
    return this.jobs.isQueued(handle);
  }
}

/** The same in memory: what was fired is known as long as the process lives. */
class MemoryHost implements ScheduleHost {
  readonly isKept = false;
  readonly isShared = false;
  private readonly kept = new Map<string, string>();

  constructor(private readonly jobServer: ScheduledJobServer) {}

  get log(): Log {
    return this.jobServer.log;
  }

  get time(): Alarm {
    return this.jobServer.time;
  }

  get isReady(): boolean {
    return this.jobServer.acceptsJobs;
  }

  settings(): ReadonlyMap<string, string> {
    return this.kept;
  }

  set(name: string, value: string | undefined): void {
    if (value === undefined) this.kept.delete(name);
    else this.kept.set(name, value);
  }

  async fire(id: string, tick: number, spec?: JobSpec): Promise<FireOutcome> {
    const name = tickName(id);
    if (laterTick(this.kept.get(name), tick, undefined) === undefined) return 'known';
    const handle = spec && (await this.submit(spec));
    const value = laterTick(this.kept.get(name), tick, handle);
    if (value !== undefined) this.kept.set(name, value);
    return 'fired';
  }

  submit(spec: JobSpec): Promise<string> {
    return handleOf(this.jobServer.submitForNobody(spec));
  }

  async isQueued(handle: string): Promise<boolean> {
    return this.jobServer.engine.find(handle) !== undefined;
  }
}

async function handleOf(submitting: Promise<Submitted>): Promise<string> {
  const submitted = await submitting;
  if (submitted instanceof Refusal) throw refused(submitted);
  return submitted;
}

function refused(refusal: Refusal): Error {
  return new Error(refusal.text, { cause: refusal });
}
