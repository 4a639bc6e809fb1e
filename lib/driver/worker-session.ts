import type { Endpoint } from '../connection/index.js';
import { encodedBytes, PacketType, type Argument, type ByteString, type Packet } from '../protocol/index.js';
import type { GearmanError } from './errors.js';
import {
  InvalidOptionError,
  ServerError,
  UnexpectedPacketError,
  type ClosedError,
  type HandlerError,
} from './errors.js';
import { Link, type LinkOwner, type LinkSettings } from './link.js';
import { RunningJob, type JobReporter, type ServedFunction } from './running-job.js';

/** What a {@link WorkerSession} needs of the lane it serves. */
export interface WorkerSessionOwner {
  readonly functions: ReadonlyMap<ByteString, ServedFunction>;
  /** A grab was answered without a job, or never will be: its slot is free. */
  grabsReturned(count: number): void;
  /** A grab was answered with this job: run it in the grab's slot. */
  start(job: RunningJob): void;
  /** There may be jobs to grab. */
  fill(): void;
  ready(session: WorkerSession): void;
  lost(session: WorkerSession, reason: GearmanError): void;
  retrying(session: WorkerSession, reason: Error, delay: number): void;
  /** Something went wrong that no result can tell. */
  report(session: WorkerSession, error: Error): void;
}

/** How a {@link WorkerSession} asks for jobs. */
export interface WorkerSessionSettings extends LinkSettings {
  /** Whether to let the job server push. */
  push: boolean;
  reducers: boolean;
  clientId: ByteString | undefined;
}

/**
 * The job server's own timeout comes this much later than ours, in
 * milliseconds: it is there for a worker that hangs, and gearmand would queue
 * a job again that we are just about to fail.
 */
const SERVER_TIMEOUT_MARGIN = 1_000;

/** What precedes the end of a connection: its answer shows that every result has arrived. */
const FAREWELL = '\0nestjs-gearman farewell';

/** What gearmand and Perl's job server say to a packet they do not know; both go on. */
const UNKNOWN_COMMAND = new Set(['INVALID_COMMAND', 'server_error']);

/** What job servers call a result for a job that is no longer ours: its timeout has passed, or somebody cancelled it. */
const LATE_RESULT = new Set(['JOB_NOT_FOUND', 'not_worker']);

/**
 * One connection of a worker: asks its job server for jobs and returns results.
 *
 * Pulling, as every job server knows it (an open grab holds a slot):
 *
 *   hungry --NO_JOB--> dry --last grab answered, PRE_SLEEP--> asleep
 *     ^ ^               |                                       |
 *     | +---JOB_ASSIGN--+                                       |
 *     +----------------- NOOP, or time to look ------------------+
 *
 * Hungry, it keeps as many grabs open as it got jobs in a row, so that a single
 * job costs one grab and a flood fills every slot at once.
 *
 * Pushing, after an accepted ALL_YOURS: it stays hungry and keeps a grab open
 * for every free slot; the job server answers each when it has a job. Any
 * NO_JOB means that it does not push after all.
 */
export class WorkerSession implements LinkOwner, JobReporter {
  readonly link: Link;
  private mood: 'hungry' | 'dry' | 'asleep' = 'hungry';
  /** Grabs without an answer. */
  private grabs = 0;
  private jobsInARow = 0;
  private isPushing = false;
  /** Whether a grab was answered with anything but an ERROR: then it is one the job server knows. */
  private isGrabKnown = false;
  private grabType: PacketType;
  /** Jobs whose end was not sent yet. */
  private readonly jobs = new Set<RunningJob>();
  private leaving: (() => void) | undefined;
  /** Jobs that wait until what they sent has left. */
  private undrained: (() => void)[] = [];

  constructor(
    endpoint: Endpoint,
    private readonly settings: WorkerSessionSettings,
    private readonly owner: WorkerSessionOwner,
  ) {
    this.grabType = settings.reducers ? PacketType.GRAB_JOB_ALL : PacketType.GRAB_JOB_UNIQ;
    this.link = new Link(endpoint, settings, this);
  }

  /** The address' name. */
  get name(): string {
    return this.link.name;
  }

  /** Uses a free slot for a grab, if there is anything to hope for; false if not. */
  grab(): boolean {
    if (this.mood !== 'hungry' || !this.link.isReady || this.leaving) return false;
    if (!this.isPushing && this.grabs > 0 && this.grabs >= this.jobsInARow) return false;
    this.grabs++;
    this.link.send(this.grabType);
    return true;
  }

  /** Has another look for jobs, whether or not the job server said that there are any. */
  look(): void {
    if (this.mood !== 'asleep') return;
    this.mood = 'hungry';
    this.owner.fill();
  }

  /** Registers a function that was added later. */
  announce(served: ServedFunction): void {
    this.sendAbility(served);
    this.look();
  }

  /** Takes no more jobs; resolves when all are done, their results delivered, and the connection ended. */
  leave(): Promise<void> {
    if (!this.link.isReady) return this.link.close();
    return new Promise((resolve) => {
      this.leaving = resolve;
      // Answers every kept grab with NO_JOB. Only to a job server that pushes: gearmand would take back running jobs.
      if (this.isPushing && this.grabs > 0) this.link.send(PacketType.RESET_ABILITIES);
      this.leaveWhenDone();
    });
  }

  /** Leaves at once: what still runs is aborted, and left to other workers. */
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
    this.link.send(type, args);
    // To PROTOCOL and gearmand an exception is the end of the job. Not to Perl's, told by the grab it does not know.
    if (type === PacketType.WORK_EXCEPTION && this.grabType === PacketType.GRAB_JOB) {
      this.link.send(PacketType.WORK_FAIL, [job.handle]);
    }
    if (this.leaving) this.leaveWhenDone();
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
    for (const served of this.owner.functions.values()) this.sendAbility(served);
    this.isPushing = push;
    if (push) this.link.send(PacketType.ALL_YOURS);
  }

  greeted(packet: Packet): void {
    if (packet.type !== PacketType.ERROR) return;
    // ALL_YOURS was refused; or, by its code, an ability.
    this.isPushing = false;
    const error = new ServerError(this.name, packet.text(0), packet.text(1));
    if (!UNKNOWN_COMMAND.has(error.serverCode)) this.owner.report(this, error);
  }

  ready(): void {
    this.mood = 'hungry';
    this.jobsInARow = 0;
    this.isGrabKnown = false;
    this.owner.ready(this);
    this.owner.fill();
  }

  failed(error: HandlerError): void {
    this.owner.report(this, error);
  }

  lost(reason: GearmanError): void {
    this.disown(reason);
    const { grabs } = this;
    this.grabs = 0;
    if (this.leaving) void this.link.close().then(this.leaving);
    this.owner.lost(this, reason);
    this.owner.grabsReturned(grabs);
  }

  retrying(reason: Error, delay: number): void {
    this.owner.retrying(this, reason, delay);
  }

  packet(packet: Packet): void {
    const hear = WorkerSession.hears[packet.type];
    if (hear) hear(this, packet);
    else this.owner.report(this, new UnexpectedPacketError(this.name, `sent a worker ${packet.name}`));
  }

  /** What a job server may say to a worker. */
  private static readonly hears: { readonly [Type in PacketType]?: (session: WorkerSession, packet: Packet) => void } =
    {
      [PacketType.NOOP]: (session) => session.look(),
      [PacketType.NO_JOB]: (session) => session.noJob(),
      [PacketType.JOB_ASSIGN]: (session, packet) => session.assigned(packet, '', undefined, packet.bytes(2)),
      [PacketType.JOB_ASSIGN_UNIQ]: (session, packet) =>
        session.assigned(packet, packet.text(2), undefined, packet.bytes(3)),
      [PacketType.JOB_ASSIGN_ALL]: (session, packet) =>
        session.assigned(packet, packet.text(2), packet.text(3), packet.bytes(4)),
      [PacketType.ERROR]: (session, packet) => session.refused(packet),
      [PacketType.ECHO_RES]: (session, packet) => session.echoed(packet),
    };

  private assigned(packet: Packet, unique: string, reducer: string | undefined, workload: Buffer): void {
    this.grabs--;
    this.jobsInARow++;
    this.isGrabKnown = true;
    this.mood = 'hungry';
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
    const job = new RunningJob(this, served, handle, unique, workload, reducer);
    this.jobs.add(job);
    this.owner.start(job);
  }

  private noJob(): void {
    this.isGrabKnown = true;
    if (!this.leaving) this.isPushing = false;
    this.jobsInARow = 0;
    this.mood = 'dry';
    this.grabAnswered();
  }

  /** A grab was answered without a job. */
  private grabAnswered(): void {
    this.grabs = Math.max(0, this.grabs - 1);
    if (this.leaving) {
      this.leaveWhenDone();
    } else if (this.grabs === 0 && this.mood === 'dry') {
      this.mood = 'asleep';
      this.link.send(PacketType.PRE_SLEEP);
    }
    this.owner.grabsReturned(1);
  }

  private refused(packet: Packet): void {
    const error = new ServerError(this.name, packet.text(0), packet.text(1));
    const isForGrab = this.grabs > 0 && !this.isGrabKnown && !this.isPushing && !LATE_RESULT.has(error.serverCode);
    if (!isForGrab) return this.owner.report(this, error);
    const older = OLDER_GRAB[this.grabType];
    if (older) {
      this.grabType = older;
    } else {
      this.owner.report(this, error);
      this.mood = 'dry';
    }
    this.grabAnswered();
  }

  private echoed(packet: Packet): void {
    if (this.leaving && packet.byteString(0) === FAREWELL) void this.link.close().then(this.leaving);
  }

  private leaveWhenDone(): void {
    if (this.grabs === 0 && this.jobs.size === 0) this.link.send(PacketType.ECHO_REQ, [FAREWELL]);
  }

  /** Nobody wants the results of what runs any more. */
  private disown(reason: Error): void {
    const jobs = [...this.jobs];
    this.jobs.clear();
    for (const job of jobs) {
      job.isOver = true;
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

/** What to fall back to when a job server does not know a grab. */
const OLDER_GRAB: { readonly [Type in PacketType]?: PacketType } = {
  [PacketType.GRAB_JOB_ALL]: PacketType.GRAB_JOB_UNIQ,
  [PacketType.GRAB_JOB_UNIQ]: PacketType.GRAB_JOB,
};
