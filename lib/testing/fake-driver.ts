import { EventEmitter } from 'node:events';
import { RpcException } from '@nestjs/microservices';
import { GearmanError } from '../ground/index.js';
import {
  ClosedError,
  JobExceptionError,
  type DriverEvents,
  type JobIdentity,
  type JobObserver,
  type JobRequest,
  type JobStatus,
  type KeptResult,
  type Submission,
} from '../driver/index.js';
import { encodeException } from '../transport/exception-body.js';
import { decodeWorkload, encodeWorkload } from '../transport/formats.js';
import type { WorkloadDescription } from '../transport/index.js';
import type { JobSubmitter } from '../transport/job-submitter.js';
import type { FakeAnswer, FakeJob } from './fake-job.js';

/** The name of the job server that the fake client pretends to have. */
const SERVER = 'fake';

/** What the fake driver must know about a request besides its fields. */
interface Calling {
  readonly data: unknown;
  readonly workload: WorkloadDescription;
}

/** Replaces a `JobClient`: it records every job, and answers end the foreground jobs. */
export class FakeDriver extends EventEmitter<DriverEvents> implements JobSubmitter {
  readonly jobs: FakeJob[] = [];
  readonly answers = new Map<string, FakeAnswer>();
  readonly refusals = new Map<string, GearmanError>();
  readonly servers = [SERVER];
  connectedServers: string[] = [];
  private readonly callings = new WeakMap<JobRequest, Calling>();
  private readonly open = new Set<JobObserver>();
  private lastNumber = 0;

  /** Remembers what a request is about, before it is submitted. */
  expect(request: JobRequest, calling: Calling): void {
    this.callings.set(request, calling);
  }

  /** Nothing is sent, so nothing is measured. */
  metrics(): [] {
    return [];
  }

  async connect(): Promise<void> {
    if (this.connectedServers.length > 0) return;
    this.connectedServers = [SERVER];
    this.emit('connect', SERVER);
  }

  async close(): Promise<void> {
    this.connectedServers = [];
    const waiting = [...this.open];
    this.open.clear();
    for (const observer of waiting) observer.fail(new ClosedError('the client'));
  }

  submit(request: JobRequest, observer: JobObserver): Submission {
    const job = this.record(request, false);
    this.open.add(observer);
    // In a microtask, because with a job server too the observer is told nothing before `submit` has returned.
    queueMicrotask(() => void this.run(job, request, observer));
    return { job, forget: () => this.open.delete(observer) };
  }

  async submitBackground(request: JobRequest): Promise<JobIdentity> {
    const job = this.record(request, true);
    const refusal = this.refusals.get(job.function);
    if (refusal) throw refusal;
    return { handle: job.handle, server: job.server };
  }

  async status({ handle }: JobIdentity): Promise<JobStatus> {
    return statusOf(this.jobs.find((job) => job.handle === handle));
  }

  /** A background job waits for ever after it was recorded; results of foreground jobs are not kept. */
  async result(job: JobIdentity): Promise<KeptResult> {
    const { isKnown, isRunning } = await this.status(job);
    return { state: isRunning ? 'running' : isKnown ? 'waiting' : 'unknown' };
  }

  async statusByUnique(unique: string): Promise<JobStatus> {
    return statusOf(this.jobs.findLast((job) => job.unique === unique));
  }

  private record(request: JobRequest, isBackground: boolean): FakeJob {
    const { function: name, priority = 'normal', unique, at, reducer, metadata } = request;
    const workload = Buffer.from(request.workload);
    const isRefused = this.refusals.has(name);
    const job: FakeJob = {
      handle: `H:${SERVER}:${++this.lastNumber}`,
      server: SERVER,
      function: name,
      data: this.callings.get(request)?.data,
      workload,
      isBackground,
      priority,
      unique,
      at,
      metadata,
      reducer,
      state: isRefused ? 'refused' : 'accepted',
      status: { isKnown: !isRefused, isRunning: false, numerator: 0, denominator: 0 },
    };
    this.jobs.push(job);
    return job;
  }

  /** Runs the answer, and tells the observer the outcome unless it has stopped listening. */
  private async run(job: FakeJob, request: JobRequest, observer: JobObserver): Promise<void> {
    const tell = (news: () => void): void => {
      if (this.open.has(observer)) news();
    };
    const end = (state: 'completed' | 'failed', news: () => void): void => {
      if (job.state === 'accepted') job.state = state;
      job.status = { ...job.status, isKnown: false, isRunning: false };
      tell(news);
      this.open.delete(observer);
    };
    try {
      const refusal = this.refusals.get(job.function);
      if (refusal) throw refusal;
      tell(() => observer.created?.(job));
      const result = await this.answer(job, request, observer, tell);
      end('completed', () => observer.complete(result));
    } catch (error) {
      end('failed', () => observer.fail(failureOf(error, job)));
    }
  }

  private async answer(
    job: FakeJob,
    request: JobRequest,
    observer: JobObserver,
    tell: (news: () => void) => void,
  ): Promise<Buffer> {
    const answer = this.answers.get(job.function);
    const { format } = this.callings.get(request)!.workload;
    if (!answer) throw noAnswer(job.function);
    const encode = (value: unknown): Buffer => encodeWorkload(value, format, job.function);
    const data = decodeWorkload(Buffer.from(job.workload), format, job.function);
    const result = await answer(data as never, {
      data: (value) => tell(() => observer.data?.(encode(value))),
      warning: (message) => tell(() => observer.warning?.(Buffer.from(message))),
      progress: (numerator, denominator) => {
        job.status = { ...job.status, isRunning: true, numerator, denominator };
        tell(() => observer.status?.(numerator, denominator));
      },
    });
    return encode(result);
  }
}

/** The error that a caller gets for what an answer threw: the same as if a handler had thrown it. */
function failureOf(error: unknown, job: FakeJob): GearmanError {
  if (error instanceof GearmanError) return error;
  const said: unknown = error instanceof RpcException ? error.getError() : 'Internal server error';
  const body = typeof said === 'object' ? said : { status: 'error', message: said };
  return new JobExceptionError(job.function, job.server, job.handle, encodeException(body));
}

function noAnswer(name: string): GearmanError {
  return new GearmanError(
    'GEARMAN_NO_ANSWER',
    `the fake client has no answer for function "${name}"; tell it one: client.answer('${name}', (data) => ...)`,
  );
}

function statusOf(job: FakeJob | undefined): JobStatus {
  const status = job?.status ?? { isKnown: false, isRunning: false, numerator: 0, denominator: 0 };
  return { ...status, server: SERVER };
}
