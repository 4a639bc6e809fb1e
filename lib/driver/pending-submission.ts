import { checkOption, type GearmanError, InvalidOptionError, oneOf } from '../ground/index.js';
import {
  encodedBytes,
  PacketType,
  PRIORITY_NAMES,
  toByteString,
  type Argument,
  type ByteString,
} from '../protocol/index.js';
import { outcomeOf, type SubmissionOutcome, type SubmissionStats } from './client-metrics.js';
import type { ServerError } from './errors.js';
import { warnedException } from './exception-warning.js';
import { fitMetadata, frameMetadata, HEAD_BYTES, isMarked } from './metadata.js';
import type { JobIdentity, JobObserver, JobRequest, Submission } from './job-request.js';

/**
 * A submission, checked and ready to be sent; it may go to several job servers one after the other.
 *
 *   queued --sent--> sent --JOB_CREATED--> created --end--> over
 *     ^                |                      |
 *     +---- its job server is lost, ----------+
 *           or cannot accept it
 *
 * Foreground submissions of one job on one connection form a ring, see {@link JobRings}.
 */
export class PendingSubmission implements Submission {
  readonly answerType = PacketType.JOB_CREATED;
  readonly type: PacketType;
  readonly args: readonly Argument[];
  readonly isForeground: boolean;
  /** The metadata beside its workload, as JSON in UTF-8. */
  readonly metadata: ByteString | undefined;
  /** How often the job server that had it was lost. */
  losses = 0;
  /** The job servers that could not accept it since the last loss; undefined if there are none. */
  refusedBy: Set<object> | undefined;
  /** The error of the last of them. */
  refusal: GearmanError | undefined;
  /** When it was queued, on the client's clock. */
  queuedAt = 0;
  /** When it was submitted, on the same clock. */
  submittedAt = 0;
  /** The counts of its function; undefined if nobody counts. */
  stats: SubmissionStats | undefined;
  job: JobIdentity | undefined;
  /** The exception that a warning announced before the WORK_FAIL, see {@link warnedException}. */
  exception: Buffer | undefined;
  /** The session that has its job; undefined until a job server has accepted it. */
  holder: SubmissionHolder | undefined;
  /** Its neighbours in the ring of its job. */
  next: PendingSubmission = this;
  previous: PendingSubmission = this;
  private readonly mayResubmit: boolean;

  /** @throws InvalidOptionError for a request that cannot be sent. */
  constructor(
    request: JobRequest,
    isForeground: boolean,
    maxPacketBytes: number,
    /** Undefined after `forget`, and after the end. */
    public observer: JobObserver | undefined,
  ) {
    const functionName = nameOf('function', request.function);
    const unique = request.unique === undefined ? '' : nameOf('unique', request.unique);
    this.isForeground = isForeground;
    this.mayResubmit = !isForeground || request.resubmit !== false;
    this.type = packetType(request, isForeground);
    this.args = argumentsOf(request, functionName, unique);
    this.metadata = request.metadata && toByteString(JSON.stringify(fitMetadata(request.metadata).metadata));
    const framed = this.metadata === undefined ? 0 : HEAD_BYTES + this.metadata.length;
    const bytes = encodedBytes(this.args) + framed;
    if (bytes > maxPacketBytes) {
      const cure = 'raise it on both sides, or send where the data is instead of the data';
      throw new InvalidOptionError(
        'workload',
        `its packet of ${bytes} bytes is longer than maxPacketBytes (${maxPacketBytes}); ${cure}`,
      );
    }
  }

  get functionName(): ByteString {
    return this.args[0] as ByteString;
  }

  /** Its arguments for a job server that knows no metadata: if necessary, the workload is in a frame. */
  get framedArgs(): readonly Argument[] {
    const workload = this.args.at(-1) as Uint8Array;
    // Bytes that our own workers would mistake for a frame need one too.
    if (this.metadata === undefined && !isMarked(workload)) return this.args;
    return [...this.args.slice(0, -1), frameMetadata(this.metadata ?? '{}', workload)];
  }

  /** Jobs with the same key coalesce; undefined for a job that does not coalesce. */
  get coalescingKey(): ByteString | undefined {
    const [functionName, unique] = this.args as [ByteString, ByteString];
    if (unique === '') return undefined;
    if (unique !== '-') return `${functionName}\0${unique}`;
    // PROTOCOL: with the unique `-` the workload is the key.
    return `${functionName}\0${Buffer.from(this.args.at(-1) as Uint8Array).toString('latin1')}`;
  }

  /** False if nobody waits for its end, or if it must not run twice. */
  get isWorthResubmitting(): boolean {
    return this.mayResubmit && this.observer !== undefined;
  }

  /**
   * Whether another job server may accept what this one refuses, because it shuts
   * down or cannot keep background jobs now. Any other refusal is the request's fault.
   */
  mayGoElsewhere({ serverCode }: ServerError): boolean {
    return serverCode === 'SHUTTING_DOWN' || (serverCode === 'QUEUE_ERROR' && !this.isForeground);
  }

  /** A job server could not accept it; another one may. */
  refused(by: object, refusal: GearmanError): void {
    (this.refusedBy ??= new Set()).add(by);
    this.refusal = refusal;
  }

  /** A job server was lost, so all of them may be tried again. Returns how often that happened. */
  lost(): number {
    this.refusedBy = this.refusal = undefined;
    return ++this.losses;
  }

  /** A job server has accepted it. */
  created(job: JobIdentity): void {
    this.job = job;
    this.exception = undefined;
    this.stats?.created.add(performance.now() - this.submittedAt);
    if (!this.isForeground && this.stats) this.stats.background.complete++;
    this.observer?.created?.(job);
  }

  forget(reason?: 'timeout'): void {
    // Background jobs run whether or not somebody listens.
    if (!this.isForeground || !this.observer) return;
    if (reason) this.count(reason);
    this.observer = undefined;
    this.holder?.givenUp(this);
  }

  warn(warning: Buffer): void {
    const exception = warnedException(warning);
    if (exception) this.exception = exception;
    else this.observer?.warning?.(warning);
  }

  complete(result: Buffer): void {
    const { observer } = this;
    if (observer) this.count('complete');
    this.observer = undefined;
    observer?.complete(result);
  }

  fail(error: GearmanError): void {
    const { observer } = this;
    if (observer) this.count(outcomeOf(error));
    this.observer = undefined;
    observer?.fail(error);
  }

  private count(outcome: SubmissionOutcome): void {
    const { stats } = this;
    if (!stats) return;
    (this.isForeground ? stats.foreground : stats.background)[outcome]++;
    if (this.isForeground) stats.ended.add(performance.now() - this.submittedAt);
  }
}

/** The session that has an accepted submission, and is told when nobody waits for it any more. */
export interface SubmissionHolder {
  givenUp(submission: PendingSubmission): void;
}

const FOREGROUND = { high: PacketType.SUBMIT_JOB_HIGH, normal: PacketType.SUBMIT_JOB, low: PacketType.SUBMIT_JOB_LOW };
const BACKGROUND = {
  high: PacketType.SUBMIT_JOB_HIGH_BG,
  normal: PacketType.SUBMIT_JOB_BG,
  low: PacketType.SUBMIT_JOB_LOW_BG,
};

function packetType({ priority = 'normal', at, reducer }: JobRequest, isForeground: boolean): PacketType {
  checkOption('priority', priority, oneOf(...PRIORITY_NAMES));
  if (at === undefined && reducer === undefined) return (isForeground ? FOREGROUND : BACKGROUND)[priority];
  const option = at === undefined ? 'reducer' : 'at';
  if (priority !== 'normal') {
    throw new InvalidOptionError(
      'priority',
      `Gearman has no packet for a job with \`${option}\` and priority ${priority}`,
    );
  }
  if (at === undefined) return isForeground ? PacketType.SUBMIT_REDUCE_JOB : PacketType.SUBMIT_REDUCE_JOB_BACKGROUND;
  if (reducer !== undefined)
    throw new InvalidOptionError('at', 'Gearman has no packet for a job with `at` and `reducer`');
  if (isForeground) throw new InvalidOptionError('at', 'only a background job can wait for a time');
  if (!(at instanceof Date) || Number.isNaN(at.getTime()))
    throw InvalidOptionError.notAllowed('at', at, 'a valid Date');
  return PacketType.SUBMIT_JOB_EPOCH;
}

function argumentsOf(request: JobRequest, functionName: ByteString, unique: ByteString): readonly Argument[] {
  const { at, reducer, workload } = request;
  if (!(workload instanceof Uint8Array)) throw InvalidOptionError.notAllowed('workload', workload, 'a Uint8Array');
  if (at) return [functionName, unique, String(Math.ceil(at.getTime() / 1_000)), workload];
  if (reducer === undefined) return [functionName, unique, workload];
  // PROTOCOL has four arguments here; gearmand expects one more before the workload, and libgearman sends it.
  return [functionName, unique, nameOf('reducer', reducer), '', workload];
}

function nameOf(option: string, text: string): ByteString {
  if (typeof text !== 'string') throw InvalidOptionError.notAllowed(option, text, 'a text');
  if (text === '' && option !== 'unique') throw new InvalidOptionError(option, 'must not be empty');
  if (text.includes('\0')) throw new InvalidOptionError(option, 'must not contain a NUL character');
  return toByteString(text);
}
