import type { LoggerService } from '@nestjs/common';
import type { WritePacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { oneLine, shown } from '../ground/index.js';
import type { AssignedJob } from '../driver/index.js';
import { DEFAULT_FORMAT, WorkloadFormatError, type WorkloadFormat } from './formats.js';
import type { ServedFunction } from './function-registry.js';
import { GearmanContext } from './gearman.context.js';
import {
  bytesOf,
  packetOf,
  type GearmanDeserializer,
  type GearmanSerializer,
  type RequestPacket,
  type ResponsePacket,
  type WorkloadDescription,
} from './gearman.serializer.js';
import { eventStream, messageStream } from './handler-streams.js';
import { JobReply } from './job-reply.js';
import { rejectionGuard } from './rejection-guard.js';
import { withoutMode, type ProcessSpan } from './tracing/index.js';

/** What a {@link JobRunner} needs from its strategy. */
export interface JobRunnerHost {
  readonly logger: LoggerService;
  /** The format for handlers that do not say one. */
  readonly format: WorkloadFormat | undefined;
  readonly requests: GearmanDeserializer<RequestPacket>;
  readonly responses: GearmanSerializer<ResponsePacket>;
  /** Begins a job's span; undefined if none are written. */
  trace(job: AssignedJob): ProcessSpan | undefined;
  /** Lets Nest run a handler between its processing hooks and respond with the values; may return a promise that rejects. */
  answer(
    context: GearmanContext,
    produce: () => Promise<Observable<unknown>>,
    respond: (packet: WritePacket) => Promise<void> | void,
  ): unknown;
}

/** Runs handlers for jobs: it turns a workload into the handler's data, and the handler's values into the job's result. */
export class JobRunner {
  constructor(private readonly host: JobRunnerHost) {}

  /** Runs one job; resolves to its result, or rejects with its exception. */
  run(served: ServedFunction, job: AssignedJob): Promise<Uint8Array> {
    const work = (): Promise<Uint8Array> =>
      rejectionGuard.run(
        (reason) => this.logForgotten(served, reason),
        () => this.runGuarded(served, job),
      );
    const span = this.host.trace(job);
    return span ? span.run(work) : work();
  }

  private runGuarded(served: ServedFunction, job: AssignedJob): Promise<Uint8Array> {
    const { requests, responses } = this.host;
    const format = served.options.format ?? this.host.format ?? DEFAULT_FORMAT;
    const workload: WorkloadDescription = { function: served.name, format };
    const encode = (response: unknown): Uint8Array => bytesOf(responses.serialize({ response }, workload));
    return new Promise((resolve, reject) => {
      const reply = new JobReply(job, encode, { resolve, reject }, (error) => this.logFailure(served, job, error));
      try {
        const { data } = packetOf(requests.deserialize(job.workload, workload));
        const context = new GearmanContext([job, withoutMode(job.metadata)], encode);
        const hooked = this.host.answer(context, () => valuesOf(served, data, context), reply.respond);
        Promise.resolve(hooked).catch((error: unknown) => reply.fail(error));
      } catch (error) {
        reply.fail(error);
      }
    });
  }

  private logFailure(served: ServedFunction, job: AssignedJob, error: unknown): void {
    const message = `Job ${job.handle} of function "${served.name}" (${job.server}) failed: ${messageOf(error)}`;
    // Parts of it may come from whoever submitted the job.
    const line = oneLine(message);
    // A message's caller gets the error. An event has no caller, and a wrong format concerns whoever runs the worker.
    if (served.isEvent || error instanceof WorkloadFormatError) this.host.logger.warn(line);
    else this.host.logger.debug?.(line);
  }

  private logForgotten({ name }: ServedFunction, reason: unknown): void {
    const stack = reason instanceof Error ? reason.stack : undefined;
    this.host.logger.error(
      `A handler of function "${name}" forgot a promise that was rejected: ${messageOf(reason)}`,
      stack,
    );
  }
}

function valuesOf(served: ServedFunction, data: unknown, context: GearmanContext): Promise<Observable<unknown>> {
  const [handler] = served.handlers;
  if (served.isEvent || !handler) return Promise.resolve(eventStream(served.handlers, data, context));
  return messageStream(handler, data, context);
}

function messageOf(error: unknown): string {
  const message: unknown = (error as { message?: unknown } | null | undefined)?.message ?? error;
  return typeof message === 'string' ? message : shown(message);
}
