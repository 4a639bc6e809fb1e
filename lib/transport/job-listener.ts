import type { GearmanError } from '../ground/index.js';
import {
  JobExceptionError,
  type JobClient,
  type JobIdentity,
  type JobObserver,
  type Submission,
} from '../driver/index.js';
import { JobTimeoutError } from './errors.js';
import { decodeException } from './exception-body.js';
import { packetOf, type GearmanDeserializer, type ResponsePacket } from './gearman.serializer.js';
import type { JobCall } from './job-call.js';

/** The listener of a caller, which gets values instead of bytes. Nothing comes after `complete` or `fail`. */
export interface JobEars {
  created?(job: JobIdentity): void;
  data?(value: unknown): void;
  warning?(message: string): void;
  progress?(numerator: number, denominator: number): void;
  /** `value` is undefined if the job ended without one. */
  complete(value: unknown): void;
  /** A {@link GearmanError}, or the body of a handler's exception: see `decodeException`. */
  fail(error: unknown): void;
}

/** Submits a call and listens to its job: it turns bytes into values, and too long a silence into an error. */
export class JobListener implements JobObserver {
  private submission: Submission | undefined;
  private job: JobIdentity | undefined;
  private timer: NodeJS.Timeout | undefined;
  private hasData = false;
  private isOver = false;

  constructor(
    private readonly call: JobCall,
    private readonly deserializer: GearmanDeserializer<ResponsePacket>,
    private readonly ears: JobEars,
  ) {}

  /** Submits the call. */
  listen(client: Pick<JobClient, 'submit'>): void {
    if (this.call.timeout > 0) this.timer = setTimeout(() => this.giveUp(), this.call.timeout);
    try {
      this.submission = client.submit(this.call.request, this);
    } catch (error) {
      this.stop();
      throw error;
    }
    if (this.isOver) this.submission.forget();
  }

  /** Stops listening, and gives up the job. */
  stop(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.submission?.forget();
  }

  created(job: JobIdentity): void {
    this.job = job;
    if (this.hears()) this.ears.created?.(job);
  }

  data(bytes: Buffer): void {
    this.hasData = true;
    if (this.hears()) this.decode(bytes, (value) => this.ears.data?.(value));
  }

  warning(bytes: Buffer): void {
    if (this.hears()) this.ears.warning?.(bytes.toString('utf8'));
  }

  status(numerator: number, denominator: number): void {
    if (this.hears()) this.ears.progress?.(numerator, denominator);
  }

  complete(bytes: Buffer): void {
    if (this.isOver) return;
    const tell = (value: unknown): void => {
      this.stop();
      this.ears.complete(value);
    };
    // Zero bytes end a stream; if nothing came before, they are the result.
    if (bytes.length === 0 && this.hasData) tell(undefined);
    else this.decode(bytes, tell);
  }

  fail(error: GearmanError): void {
    this.end(error instanceof JobExceptionError ? (decodeException(error.bytes) ?? error) : error);
  }

  /** Whether somebody still listens. Whatever came is a sign of life, so the time limit starts again. */
  private hears(): boolean {
    if (!this.isOver) this.timer?.refresh();
    return !this.isOver;
  }

  private giveUp(): void {
    this.submission?.forget('timeout');
    this.end(new JobTimeoutError(this.call.workload.function, this.call.timeout, this.job));
  }

  private end(error: unknown): void {
    if (this.isOver) return;
    this.stop();
    this.ears.fail(error);
  }

  private decode(bytes: Buffer, tell: (value: unknown) => void): void {
    let value: unknown;
    try {
      value = packetOf(this.deserializer.deserialize(bytes, this.call.workload)).response;
    } catch (error) {
      this.end(error);
      return;
    }
    tell(value);
  }
}
