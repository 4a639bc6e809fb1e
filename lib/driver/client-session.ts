import type { GearmanError } from '../ground/index.js';
import type { Endpoint } from '../connection/index.js';
import {
  fromByteString,
  METADATA_PREFIX,
  PacketType,
  type Argument,
  type ByteString,
  type Packet,
  OPTION,
  WITHDRAW,
} from '../protocol/index.js';
import { JobExceptionError, JobFailedError, ServerError, UnexpectedPacketError } from './errors.js';
import { Fifo } from './fifo.js';
import type { KeptResult } from './job-request.js';
import { JobRings } from './job-rings.js';
import { Link, type LinkOwner, type LinkSettings } from './link.js';
import { PendingSubmission, type SubmissionHolder } from './pending-submission.js';

/** What a {@link ClientSession} tells its client. */
export interface ClientSessionOwner {
  /** The job server is connected. */
  ready(session: ClientSession): void;
  /** There may be room to send more. */
  hasRoom(): void;
  /** The connection was lost; these submissions had not ended, oldest first. */
  lost(session: ClientSession, unfinished: readonly PendingSubmission[], reason: GearmanError): void;
  /** The job server cannot accept this submission; another one may. */
  refused(session: ClientSession, submission: PendingSubmission, reason: GearmanError): void;
  /** The next attempt is made in `delay` milliseconds. */
  retrying(session: ClientSession, reason: Error, delay: number): void;
  /** Something went wrong that belongs to no answer. */
  report(session: ClientSession, error: Error): void;
}

/** How a {@link ClientSession} behaves. */
export interface ClientSessionSettings extends LinkSettings {
  /** Whether to tell the job server when nobody waits for a job any more. */
  readonly withdraw: boolean;
  /** See `JobClientOptions.metadata`. */
  readonly metadata: 'auto' | boolean;
}

/** A question to a job server, and where its answer goes. */
export interface Question {
  readonly answerType: PacketType;
  answer(packet: Packet): void;
  /** A kept result came before the answer. */
  kept?(handle: ByteString, result: KeptResult): void;
  fail(error: GearmanError): void;
}

/** One job server as a client sees it: the requests that it has not answered, and the jobs that it has for us. */
export class ClientSession implements LinkOwner, SubmissionHolder {
  readonly link: Link;
  /** Requests without an answer. Answers come in the order of the requests, so an ERROR belongs to the oldest. */
  private readonly requests = new Fifo<PendingSubmission | Question>();
  private readonly jobs = new JobRings();
  /** How many of the requests are submissions. */
  unansweredSubmissions = 0;
  /** Whether the job server can be told that nobody waits for a job any more. */
  private knowsWithdrawals = false;
  /** Whether the job server keeps metadata beside the workload, and gives it to workers that asked for it. */
  private knowsMetadata = false;

  constructor(
    endpoint: Endpoint,
    private readonly settings: ClientSessionSettings,
    private readonly clientId: ByteString | undefined,
    private readonly owner: ClientSessionOwner,
  ) {
    // The queue keeps within the bound by holding submissions back, so the connection must not end because of it.
    this.link = new Link(endpoint, { ...settings, maxSendBufferBytes: Infinity }, this);
  }

  /** The address' name. */
  get name(): string {
    return this.link.name;
  }

  /** True while too much waits for the job server to read it. */
  get isCongested(): boolean {
    return this.link.bufferedBytes >= this.settings.maxSendBufferBytes;
  }

  submit(submission: PendingSubmission): void {
    this.unansweredSubmissions++;
    this.requests.push(submission);
    if (this.knowsMetadata) this.announceMetadata(submission);
    const isFramed = !this.knowsMetadata && this.settings.metadata === true;
    this.link.send(submission.type, isFramed ? submission.framedArgs : submission.args);
  }

  ask(type: PacketType, args: readonly Argument[], question: Question): void {
    this.requests.push(question);
    this.link.send(type, args);
  }

  /** Fails everything that has not ended, and disconnects. */
  async close(reason: GearmanError): Promise<void> {
    for (const submission of this.takeUnfinished(reason)) this.fail(submission, reason);
    await this.link.close();
  }

  greet(): void {
    this.link.send(PacketType.OPTION_REQ, [OPTION.exceptions]);
    if (this.settings.withdraw) this.link.send(PacketType.OPTION_REQ, [OPTION.withdrawals]);
    if (this.settings.metadata !== false) this.link.send(PacketType.OPTION_REQ, [OPTION.metadata]);
    this.knowsWithdrawals = this.knowsMetadata = false;
    if (this.clientId !== undefined) this.link.send(PacketType.SET_CLIENT_ID, [this.clientId]);
  }

  greeted(packet: Packet): void {
    // OPTION_RES; or an ERROR from a job server without the option `exceptions`, where failed jobs end in WORK_FAIL.
    if (packet.type !== PacketType.OPTION_RES) return;
    const option = packet.text(0);
    if (option === OPTION.withdrawals) this.knowsWithdrawals = true;
    else if (option === OPTION.metadata) this.knowsMetadata = true;
  }

  /**
   * Takes the wait for a job back, if the job server knows how. The submission
   * keeps its place in the job's ring until the answer: everything that the job
   * server sent before the answer was sent to this place too.
   */
  givenUp(submission: PendingSubmission): void {
    if (!this.knowsWithdrawals || !this.link.isReady) return;
    const { handle } = submission.job!;
    this.ask(PacketType.OPTION_REQ, [WITHDRAW + handle], {
      answerType: PacketType.OPTION_RES,
      answer: () => this.jobs.giveBack(handle, submission),
      fail: () => undefined,
    });
  }

  ready(): void {
    this.owner.ready(this);
  }

  drained(): void {
    this.owner.hasRoom();
  }

  lost(reason: GearmanError): void {
    this.owner.lost(this, this.takeUnfinished(reason), reason);
  }

  retrying(reason: Error, delay: number): void {
    this.owner.retrying(this, reason, delay);
  }

  packet(packet: Packet): void {
    try {
      const hear = ClientSession.hears[packet.type];
      if (hear) hear(this, packet);
      else this.owner.report(this, new UnexpectedPacketError(this.name, `sent a client ${packet.name}`));
    } catch (error) {
      // The error of an observer, which must not end the connection that all others share.
      this.owner.report(this, error as Error);
    }
  }

  /** The packets that a job server may send to a client. */
  private static readonly hears: { readonly [Type in PacketType]?: (session: ClientSession, packet: Packet) => void } =
    {
      [PacketType.JOB_CREATED]: (session, packet) => session.created(packet),
      [PacketType.WORK_DATA]: ({ jobs }, packet) => jobs.turn(packet.byteString(0))?.observer?.data?.(packet.bytes(1)),
      [PacketType.WORK_WARNING]: ({ jobs }, packet) => jobs.turn(packet.byteString(0))?.warn(packet.bytes(1)),
      [PacketType.WORK_STATUS]: ({ jobs }, packet) =>
        jobs.turn(packet.byteString(0))?.observer?.status?.(Number(packet.text(1)) || 0, Number(packet.text(2)) || 0),
      [PacketType.WORK_COMPLETE]: (session, packet) => session.completed(packet),
      [PacketType.WORK_EXCEPTION]: (session, packet) => session.excepted(packet),
      [PacketType.WORK_FAIL]: (session, packet) => session.failed(packet),
      [PacketType.ERROR]: (session, packet) => session.refused(packet),
      [PacketType.STATUS_RES]: (session, packet) => session.answered(packet),
      [PacketType.STATUS_RES_UNIQUE]: (session, packet) => session.answered(packet),
      [PacketType.ECHO_RES]: (session, packet) => session.answered(packet),
      [PacketType.OPTION_RES]: (session, packet) => session.answered(packet),
    };

  private announceMetadata({ metadata }: PendingSubmission): void {
    if (metadata !== undefined) this.link.send(PacketType.OPTION_REQ, [METADATA_PREFIX + metadata]);
  }

  private created(packet: Packet): void {
    const submission = this.take(PacketType.JOB_CREATED);
    if (!(submission instanceof PendingSubmission)) return this.unasked(packet);
    const handle = packet.byteString(0);
    if (submission.isForeground) this.jobs.add(handle, submission);
    this.answeredSubmission();
    const wasGivenUp = submission.isForeground && !submission.observer;
    submission.holder = this;
    submission.created({ handle, server: this.name });
    if (wasGivenUp) this.givenUp(submission);
  }

  private answered(packet: Packet): void {
    const question = this.take(packet.type);
    if (question === undefined || question instanceof PendingSubmission) return this.unasked(packet);
    question.answer(packet);
  }

  private refused(packet: Packet): void {
    const error = new ServerError(this.name, packet.text(0), packet.text(1));
    const request = this.requests.shift();
    if (request instanceof PendingSubmission) this.answeredSubmission();
    if (request instanceof PendingSubmission && request.mayGoElsewhere(error)) this.owner.refused(this, request, error);
    else if (request) request.fail(error);
    else this.owner.report(this, error);
  }

  private completed(packet: Packet): void {
    const handle = packet.byteString(0);
    const submission = this.jobs.end(handle);
    if (submission) submission.complete(packet.bytes(1));
    else this.keep(handle, { state: 'complete', bytes: Buffer.from(packet.bytes(1)) });
  }

  /** Keeps the end of a job that nobody here waits for: it comes before the answer to a question for the job's result. */
  private keep(handle: ByteString, result: KeptResult): void {
    const asked = this.requests.peek();
    if (asked && !(asked instanceof PendingSubmission)) asked.kept?.(handle, result);
  }

  private excepted(packet: Packet): void {
    const handle = packet.byteString(0);
    const submission = this.jobs.end(handle);
    if (!submission) return this.keep(handle, { state: 'failed', bytes: Buffer.from(packet.bytes(1)) });
    const functionName = fromByteString(submission.functionName);
    submission.fail(new JobExceptionError(functionName, this.name, handle, Buffer.from(packet.bytes(1))));
  }

  private failed(packet: Packet): void {
    const bytes = packet.byteString(0);
    // gearmand appends a NUL where it turns an exception into a WORK_FAIL.
    const handle = bytes.endsWith('\0') ? bytes.slice(0, -1) : bytes;
    const submission = this.jobs.end(handle);
    if (!submission) return this.keep(handle, { state: 'failed', bytes: Buffer.alloc(0) });
    const functionName = fromByteString(submission.functionName);
    submission.fail(
      submission.exception
        ? new JobExceptionError(functionName, this.name, handle, submission.exception)
        : new JobFailedError(functionName, this.name, handle),
    );
  }

  private take(answerType: PacketType): PendingSubmission | Question | undefined {
    return this.requests.take((request) => request.answerType === answerType);
  }

  private answeredSubmission(): void {
    this.unansweredSubmissions--;
    this.owner.hasRoom();
  }

  private unasked(packet: Packet): void {
    this.owner.report(this, new UnexpectedPacketError(this.name, `sent ${packet.name} without being asked`));
  }

  private takeUnfinished(reason: GearmanError): PendingSubmission[] {
    const unfinished = this.jobs.takeAll();
    this.unansweredSubmissions = 0;
    for (const request of this.requests.takeAll()) {
      if (request instanceof PendingSubmission) unfinished.push(request);
      else request.fail(reason);
    }
    // No job server has them now; they wait for another one.
    for (const submission of unfinished) submission.holder = undefined;
    return unfinished;
  }

  private fail(submission: PendingSubmission, reason: GearmanError): void {
    try {
      submission.fail(reason);
    } catch (error) {
      this.owner.report(this, error as Error);
    }
  }
}
