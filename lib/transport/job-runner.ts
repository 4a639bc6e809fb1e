import type { LoggerService } from '@nestjs/common';
import type { WritePacket } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import { oneLine } from '../ground/index.js';
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

/** What a {@link JobRunner} needs of its strategy. */
export interface JobRunnerHost {
  readonly logger: LoggerService;
  /** Where a handler does not say. */
  readonly format: WorkloadFormat | undefined;
  readonly requests: GearmanDeserializer<RequestPacket>;
  readonly responses: GearmanSerializer<ResponsePacket>;
  /** Begins a job's span; undefined where none are written. */
  trace(job: AssignedJob): ProcessSpan | undefined;
  /** Has Nest run a handler between its processing hooks, and respond its values; may return a promise that fails. */
  answer(
    context: GearmanContext,
    produce: () => Promise<Observable<unknown>>,
    respond: (packet: WritePacket) => Promise<void> | void,
  ): unknown;
}

/** Runs handlers for jobs: from a workload to what its clients hear. */
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
    // Whoever submitted the job may stand behind any of it.
    const line = oneLine(message);
    // A message's caller is told. An event has none, and a wrong format is for who runs the worker.
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
  const message: unknown = (error as { message?: unknown } | null | undefined)?.message;
  return typeof message === 'string' ? message : String(error);
}
