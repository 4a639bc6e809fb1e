import { type GearmanError, InvalidOptionError } from '../ground/index.js';
import type { Endpoint } from '../connection/index.js';
import { encodedBytes, PacketType, type Argument, type ByteString, type Packet, WITHDRAWN } from '../protocol/index.js';
import { ServerError, UnexpectedPacketError, type ClosedError, type HandlerError } from './errors.js';
import { exceptionWarning } from './exception-warning.js';
import { Extensions } from './extensions.js';
import { Grabs } from './grabs.js';
import { Link, type LinkOwner, type LinkSettings } from './link.js';
import { unframeMetadata } from './metadata.js';
import type { ServedOutcome } from './worker-metrics.js';
import { RunningJob, type JobReporter, type ServedFunction } from './running-job.js';

/** What a {@link WorkerSession} needs from its lane. */
export interface WorkerSessionOwner {
  readonly functions: ReadonlyMap<ByteString, ServedFunction>;
  /** Grabs were answered without a job, or never will be: their slots are free. */
  grabsReturned(count: number): void;
  /** A job came that answers no grab: it uses one more slot. */
  slotTaken(): void;
  /** A grab was answered with this job: run it in the grab's slot. */
  start(job: RunningJob): void;
  /** There may be jobs to grab. */
  fill(): void;
  ready(session: WorkerSession): void;
  lost(session: WorkerSession, reason: GearmanError): void;
  retrying(session: WorkerSession, reason: Error, delay: number): void;
  /** Something went wrong that no result can tell the job server. */
  report(session: WorkerSession, error: Error): void;
}

/** How a {@link WorkerSession} asks for jobs. */
export interface WorkerSessionSettings extends LinkSettings {
  /** Whether to let the job server push. */
  push: boolean;
  reducers: boolean;
  /** Whether to send WORK_EXCEPTION through every job server, whatever it does with it. */
  alwaysExceptions: boolean;
  clientId: ByteString | undefined;
}

/**
 * How much later than ours the job server's own timeout ends, in milliseconds.
 * It is meant for a worker that hangs; if it ended at the same time, gearmand
 * would queue a job again that we are just about to fail.
 */
const SERVER_TIMEOUT_MARGIN = 1_000;

/** The codes with which gearmand and Perl's job server answer an option that they do not know. */
const UNKNOWN_OPTION = new Set(['UNKNOWN_OPTION', 'unknown_option']);

/** The data of the last ECHO_REQ of a connection: the answer shows that every result has arrived. */
const FAREWELL = '\0nestjs-gearman farewell';

/** The codes with which gearmand and Perl's job server answer a packet that they do not know; both go on. */
const UNKNOWN_COMMAND = new Set(['INVALID_COMMAND', 'server_error']);

/** The codes for a result of a job that is no longer ours, because it timed out or somebody cancelled it. */
const LATE_RESULT = new Set(['JOB_NOT_FOUND', 'not_worker']);

/**
 * One connection of a worker to one job server: it registers functions, grabs as
 * {@link Grabs} decides, hands assigned jobs to its lane and sends their
 * results. An open grab uses one of the lane's slots.
 */
export class WorkerSession implements LinkOwner, JobReporter {
  readonly link: Link;
  private readonly grabs: Grabs;
  private readonly extensions = new Extensions();
  /** Jobs whose end has not been sent yet. */
  private readonly jobs = new Set<RunningJob>();
  private leaving: (() => void) | undefined;
  /** Jobs that wait until everything they sent has left. */
  private undrained: (() => void)[] = [];

  constructor(
    endpoint: Endpoint,
    private readonly settings: WorkerSessionSettings,
    private readonly owner: WorkerSessionOwner,
  ) {
    this.grabs = new Grabs(settings.reducers);
    this.link = new Link(endpoint, settings, this);
  }

  /** The address' name. */
  get name(): string {
    return this.link.name;
  }

  /** Uses a free slot for a grab, if a job can be expected; returns false if not. */
  grab(): boolean {
    if (!this.grabs.isWanted || !this.link.isReady || this.leaving) return false;
    this.grabs.open++;
    this.link.send(this.grabs.type);
    return true;
  }

  /** Asks for jobs, whether or not the job server said that there are any. */
  look(): void {
    if (this.grabs.wake()) this.owner.fill();
  }

  /** Registers a function that was added later. */
  announce(served: ServedFunction): void {
    this.sendAbility(served);
    this.look();
  }

  /** Takes no more jobs; resolves when all are done, their results are delivered, and the connection has ended. */
  leave(): Promise<void> {
    if (!this.link.isReady) return this.link.close();
    return new Promise((resolve) => {
      this.leaving = resolve;
      // The job server answers every open grab with NO_JOB. Only for one that pushes: gearmand would take back running jobs.
      if (this.grabs.isPushed && this.grabs.open > 0) this.link.send(PacketType.RESET_ABILITIES);
      this.leaveWhenDone();
    });
  }

  /** Leaves at once: running jobs are aborted, and other workers get them. */
  async abandon(reason: ClosedError): Promise<void> {
    this.disown(reason);
    await this.link.close();
    this.leaving?.();
  }

  tell(job: RunningJob, type: PacketType, args: readonly Argument[]): void {
    if (!job.isOver) this.link.send(type, args);
  }

  end(job: RunningJob, type: PacketType, args: readonly Argument[]): void {
    if (job.isOver) return;
    if (encodedBytes(args) > this.settings.maxPacketBytes) return this.refuseResult(job, encodedBytes(args));
    this.jobs.delete(job);
    job.isOver = true;
    job.served.stats[outcomeOf(type)]++;
    if (type === PacketType.WORK_EXCEPTION) this.endWithException(job, args);
    else this.link.send(type, args);
    if (this.leaving) this.leaveWhenDone();
  }

  fail(job: RunningJob, words: string): void {
    if (!this.extensions.hasCleanExceptions) this.end(job, PacketType.WORK_FAIL, [job.handle]);
    else this.end(job, PacketType.WORK_EXCEPTION, [job.handle, Buffer.from(words)]);
  }

  private endWithException(job: RunningJob, args: readonly Argument[]): void {
    // In PROTOCOL and in gearmand an exception ends the job. In Perl's job server it does not; that one knows only the oldest grab.
    const isPerl = this.grabs.isOldest;
    if (isPerl || this.extensions.hasCleanExceptions || this.settings.alwaysExceptions) {
      this.link.send(PacketType.WORK_EXCEPTION, args);
      if (isPerl) this.link.send(PacketType.WORK_FAIL, [job.handle]);
    } else {
      this.link.send(PacketType.WORK_WARNING, [job.handle, exceptionWarning(args[1] as Uint8Array)]);
      this.link.send(PacketType.WORK_FAIL, [job.handle]);
    }
  }

  whenDrained(): Promise<void> {
    if (this.link.bufferedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => this.undrained.push(resolve));
  }

  drained(): void {
    if (this.undrained.length > 0) for (const resolve of this.undrained.splice(0)) resolve();
  }

  greet(): void {
    const { clientId, push } = this.settings;
    if (clientId !== undefined) this.link.send(PacketType.SET_CLIENT_ID, [clientId]);
    this.extensions.restart();
    for (const option of Extensions.names) this.link.send(PacketType.OPTION_REQ, [option]);
    for (const served of this.owner.functions.values()) this.sendAbility(served);
    this.grabs.restart(push);
    if (push) this.link.send(PacketType.ALL_YOURS);
  }

  greeted(packet: Packet): void {
    if (packet.type === PacketType.OPTION_RES) this.extensions.hear(packet.text(0));
    if (packet.type !== PacketType.ERROR || UNKNOWN_OPTION.has(packet.text(0))) return;
    // The job server refused ALL_YOURS, or, by the error's code, a function.
    this.grabs.isPushed = false;
    const error = new ServerError(this.name, packet.text(0), packet.text(1));
    if (!UNKNOWN_COMMAND.has(error.serverCode)) this.owner.report(this, error);
  }

  ready(): void {
    this.owner.ready(this);
    this.owner.fill();
  }

  failed(error: HandlerError): void {
    this.owner.report(this, error);
  }

  lost(reason: GearmanError): void {
    this.disown(reason);
    const unanswered = this.grabs.restart(false);
    if (this.leaving) void this.link.close().then(this.leaving);
    this.owner.lost(this, reason);
    this.owner.grabsReturned(unanswered);
  }

  retrying(reason: Error, delay: number): void {
    this.owner.retrying(this, reason, delay);
  }

  packet(packet: Packet): void {
    const hear = WorkerSession.hears[packet.type];
    if (hear) hear(this, packet);
    else this.owner.report(this, new UnexpectedPacketError(this.name, `sent a worker ${packet.name}`));
  }

  /** The packets that a job server may send to a worker. */
  private static readonly hears: { readonly [Type in PacketType]?: (session: WorkerSession, packet: Packet) => void } =
    {
      [PacketType.NOOP]: (session) => session.look(),
      [PacketType.NO_JOB]: (session) => session.noJob(),
      [PacketType.JOB_ASSIGN]: (session, packet) => session.assigned(packet, '', undefined, packet.bytes(2)),
      [PacketType.JOB_ASSIGN_UNIQ]: (session, packet) =>
        session.assigned(packet, packet.text(2), undefined, packet.bytes(3)),
      [PacketType.JOB_ASSIGN_ALL]: (session, packet) =>
        session.assigned(packet, packet.text(2), packet.text(3), packet.bytes(4)),
      [PacketType.OPTION_RES]: (session, packet) => session.told(packet.byteString(0)),
      [PacketType.ERROR]: (session, packet) => session.refused(packet),
      [PacketType.ECHO_RES]: (session, packet) => session.echoed(packet),
    };

  private assigned(packet: Packet, unique: string, reducer: string | undefined, bytes: Buffer): void {
    if (!this.grabs.assigned()) this.owner.slotTaken();
    const attempt = this.extensions.nextAttempt();
    const announced = this.extensions.nextMetadata();
    const served = this.owner.functions.get(packet.byteString(1));
    const handle = packet.byteString(0);
    if (!served) {
      this.link.send(PacketType.WORK_FAIL, [handle]);
      this.owner.report(
        this,
        new UnexpectedPacketError(this.name, `assigned a job of ${packet.text(1)}, which was not registered`),
      );
      this.owner.grabsReturned(1);
      return;
    }
    // If the job server knows metadata, the workload is exactly what the submitter sent, whatever it begins with.
    const { workload, metadata } = this.extensions.hasMetadata
      ? { workload: bytes, metadata: announced }
      : unframeMetadata(bytes);
    const job = new RunningJob(this, served, { handle, unique, workload, reducer, attempt, metadata });
    this.jobs.add(job);
    this.owner.start(job);
  }

  /** Reads an OPTION_RES of our job server: about the job that is assigned next, or about one that runs. */
  private told(option: string): void {
    if (!option.startsWith(WITHDRAWN)) return this.extensions.hear(option);
    const handle = option.slice(WITHDRAWN.length);
    // No job is found if it has ended in the meantime.
    for (const job of this.jobs) if (job.handle === handle) job.abandon();
  }

  private noJob(): void {
    if (this.grabs.open > 0) this.grabReturned(this.grabs.noJob());
    else this.owner.report(this, new UnexpectedPacketError(this.name, 'sent NO_JOB without being asked'));
  }

  private refused(packet: Packet): void {
    const error = new ServerError(this.name, packet.text(0), packet.text(1));
    const refusal = LATE_RESULT.has(error.serverCode) ? undefined : this.grabs.refused();
    if (refusal !== 'older') this.owner.report(this, error);
    if (refusal !== undefined) this.grabReturned(refusal === 'none' && this.grabs.unfed());
  }

  /** A grab was answered without a job. */
  private grabReturned(isTimeToSleep: boolean): void {
    if (this.leaving) this.leaveWhenDone();
    else if (isTimeToSleep) this.link.send(PacketType.PRE_SLEEP);
    this.owner.grabsReturned(1);
  }

  private echoed(packet: Packet): void {
    if (this.leaving && packet.byteString(0) === FAREWELL) void this.link.close().then(this.leaving);
  }

  private leaveWhenDone(): void {
    if (this.grabs.open === 0 && this.jobs.size === 0) this.link.send(PacketType.ECHO_REQ, [FAREWELL]);
  }

  /** Gives up the running jobs: nobody wants their results any more. */
  private disown(reason: Error): void {
    const jobs = [...this.jobs];
    this.jobs.clear();
    for (const job of jobs) {
      job.isOver = true;
      job.served.stats.lost++;
      job.abort(reason);
    }
    this.drained();
  }

  private refuseResult(job: RunningJob, bytes: number): void {
    const { maxPacketBytes } = this.settings;
    const problem = `a result of ${bytes} bytes from ${job.function} passes it (${maxPacketBytes}); raise it on both sides`;
    this.owner.report(this, new InvalidOptionError('maxPacketBytes', problem));
    this.end(job, PacketType.WORK_FAIL, [job.handle]);
  }

  private sendAbility({ bytes, options }: ServedFunction): void {
    if (options.timeout === undefined) this.link.send(PacketType.CAN_DO, [bytes]);
    else this.link.send(PacketType.CAN_DO_TIMEOUT, [bytes, String(options.timeout + SERVER_TIMEOUT_MARGIN)]);
  }
}

function outcomeOf(type: PacketType): ServedOutcome {
  if (type === PacketType.WORK_COMPLETE) return 'complete';
  return type === PacketType.WORK_EXCEPTION ? 'exception' : 'fail';
}
