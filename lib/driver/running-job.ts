import { InvalidOptionError } from '../ground/index.js';
import { PacketType, toByteString, type Argument, type ByteString } from '../protocol/index.js';
import type { AssignedJob, FunctionOptions, JobHandler } from './assigned-job.js';
import type { GearmanMetadata } from './metadata.js';
import type { ServedStats } from './worker-metrics.js';
import { HandlerError, JobAbandonedError, TimeoutError, WorkException } from './errors.js';
import { thrownWords } from './thrown-words.js';

/** A function as a worker serves it. */
export interface ServedFunction {
  readonly name: string;
  /** The name as it is sent. */
  readonly bytes: ByteString;
  readonly handler: JobHandler;
  readonly options: FunctionOptions;
  /** The counts of its jobs in this process. */
  readonly stats: ServedStats;
}

/** The session that a {@link RunningJob} came from and reports to. */
export interface JobReporter {
  readonly name: string;
  /** Sends a packet about the job, while its connection stands and the job has not ended. */
  tell(job: RunningJob, type: PacketType, args: readonly Argument[]): void;
  /** Sends how the job ended; only the first call counts. */
  end(job: RunningJob, type: PacketType, args: readonly Argument[]): void;
  /** Sends that the job failed, with the reason if the job server passes reasons on as PROTOCOL demands. */
  fail(job: RunningJob, words: string): void;
  /** Tells the worker's owner why a job failed. */
  failed(error: HandlerError): void;
  /** Resolves when everything sent so far has left, or never can. */
  whenDrained(): Promise<void>;
}

/** What a job server says about a job when it assigns it. */
export interface Assignment {
  readonly handle: ByteString;
  /** `''` when the submitter gave none, or when the job server does not tell it. */
  readonly unique: string;
  readonly workload: Buffer;
  readonly reducer: string | undefined;
  readonly attempt: number | undefined;
  readonly metadata: GearmanMetadata | undefined;
}

/**
 * A job from its assignment until its handler has ended. Its end is sent once,
 * whichever comes first: result, failure or timeout. It is never sent if the
 * connection is lost, because the job server then gives the job to another worker.
 */
export class RunningJob implements AssignedJob, Assignment {
  readonly handle: ByteString;
  readonly unique: string;
  readonly workload: Buffer;
  readonly reducer: string | undefined;
  readonly attempt: number | undefined;
  readonly metadata: GearmanMetadata | undefined;
  /** True when its end was sent, or cannot be sent any more. Nothing is sent for it afterwards. */
  isOver = false;
  private controller: AbortController | undefined;
  private abortReason: Error | undefined;

  constructor(
    private readonly reporter: JobReporter,
    readonly served: ServedFunction,
    assignment: Assignment,
  ) {
    this.handle = assignment.handle;
    this.unique = assignment.unique;
    this.workload = assignment.workload;
    this.reducer = assignment.reducer;
    this.attempt = assignment.attempt;
    this.metadata = assignment.metadata;
  }

  get function(): string {
    return this.served.name;
  }

  get server(): string {
    return this.reporter.name;
  }

  /** Made on demand: most handlers do not use it, and a controller costs more than the rest of a job. */
  get signal(): AbortSignal {
    if (!this.controller) {
      this.controller = new AbortController();
      if (this.abortReason) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  abort(reason: Error): void {
    this.abortReason ??= reason;
    this.controller?.abort(reason);
  }

  /** Nobody waits for it any more. It goes on, and its handler decides. */
  abandon(): void {
    this.abort(new JobAbandonedError(this.function, this.handle));
  }

  /** Its time is over: it fails. If the handler ends on the signal at once, with the handler's own error. */
  expire(timeout: number): void {
    this.abort(new TimeoutError(`the job ${this.handle} of ${this.function}`, timeout, "the function's timeout"));
    setImmediate(() => this.reporter.end(this, PacketType.WORK_FAIL, [this.handle]));
  }

  data(bytes: Uint8Array | string): void {
    this.reporter.tell(this, PacketType.WORK_DATA, [this.handle, asArgument(bytes)]);
  }

  warning(bytes: Uint8Array | string): void {
    this.reporter.tell(this, PacketType.WORK_WARNING, [this.handle, asArgument(bytes)]);
  }

  status(numerator: number, denominator: number): void {
    this.reporter.tell(this, PacketType.WORK_STATUS, [this.handle, String(numerator), String(denominator)]);
  }

  drained(): Promise<void> {
    return this.reporter.whenDrained();
  }

  /** Runs the handler; resolves when it has ended, and never rejects. */
  async run(): Promise<void> {
    try {
      const result = await this.served.handler(this);
      this.reporter.end(this, PacketType.WORK_COMPLETE, [this.handle, asArgument(result ?? '')]);
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    // The job was lost or timed out before; what the handler throws afterwards is a consequence.
    if (this.isOver) return;
    if (error instanceof WorkException) {
      this.reporter.end(this, PacketType.WORK_EXCEPTION, [this.handle, error.bytes]);
    } else {
      this.reporter.fail(this, thrownWords(error));
      // A handler that stops because nobody waits has made no mistake.
      if (!(this.abortReason instanceof JobAbandonedError))
        this.reporter.failed(new HandlerError(this.function, this.handle, error));
    }
  }
}

/** From this length on, native code turns text into bytes faster than a loop does. */
const SHORT_TEXT = 200;

function asArgument(bytes: Uint8Array | string): Argument {
  if (typeof bytes === 'string') return bytes.length <= SHORT_TEXT ? toByteString(bytes) : Buffer.from(bytes);
  if (bytes instanceof Uint8Array) return bytes;
  throw InvalidOptionError.notAllowed('result', bytes, 'a text, a Uint8Array or nothing');
}
