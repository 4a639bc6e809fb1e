import type { Duplex } from 'node:stream';
import {
  Connection,
  SendBufferFullError,
  type ConnectionListener,
  type ConnectionOptions,
} from '../../connection/index.js';
import {
  exactText,
  METADATA_PREFIX,
  PacketType,
  type Argument,
  type ByteString,
  type Packet,
  type ProtocolError,
  attemptOption,
  WITHDRAWN,
} from '../../protocol/index.js';
import { Refusal, type GrabKind, type Job, type Peer, type PeerListener, type Workload } from '../engine/index.js';
import { ADMIN_DENIED } from './admin-answers.js';
import { answerAdmin } from './admin-commands.js';
import { AdminOutput } from './admin-output.js';
import { COMMANDS } from './packet-commands.js';
import type { LogFields } from '../../ground/index.js';
import { ReplyOrder, type Replies } from './reply-order.js';
import type { Action, Conversation, PeerInfo, SessionHost } from './session-host.js';
import { countOne, type CloseReason, type Traffic } from './traffic.js';

const NOT_EXPECTED = new Refusal('INVALID_COMMAND', 'Command not expected');
const REQUEST_EXPECTED = new Refusal('INVALID_MAGIC', 'Request magic expected');
const DENIED = new Refusal('ACCESS_DENIED', 'This job server does not allow it');

/** A packet began and did not come to its end in time. */
class HalfPacketError extends Error {
  override readonly name = 'HalfPacketError';

  constructor() {
    super('a packet did not come to its end in time (packetTimeout)');
  }
}

/** How every HTTP request begins. */
const HTTP_REQUEST = /^[A-Z]+ \S+ HTTP\/\d\.\d\r?$/;

class HttpRequestError extends Error {
  override readonly name = 'HttpRequestError';

  constructor() {
    super('it speaks HTTP, as a page in a browser does; HTTP has a port of its own (--web-port)');
  }
}

/**
 * One peer's conversation: what it says becomes engine calls, what the engine
 * says becomes packets. It decides nothing itself; the packets' meanings stand
 * in `COMMANDS`, the admin words' in `answerAdmin`.
 */
export class Session implements Conversation, ConnectionListener, PeerListener {
  readonly peer: Peer;
  readonly connection: Connection;
  readonly replies: ReplyOrder;
  private readonly adminOutput: AdminOutput;
  /** How many packets and lines the peer has sent, now and when stalled connections were last looked for. */
  private unitCount = 0;
  private countAtSweep = 0;
  private wasPartial = false;
  /** It registered a function, or submitted a job. */
  private hasBusiness = false;
  private readonly traffic: Traffic;
  /** Why this side closes it, where it does so in good order. */
  private closing: CloseReason | undefined;
  wantsResults = false;
  wantsAttempts = false;
  wantsMetadata = false;
  nextMetadata: ByteString | undefined;
  lastFunction = '';
  private quietSince: number;
  /** Milliseconds since 1970. */
  readonly connectedSince: number;
  /** The same moment on the clock of durations. */
  private readonly openedAt: number;

  constructor(
    readonly host: SessionHost,
    stream: Duplex,
    readonly info: PeerInfo,
    /** The connection's number, in the place of gearmand's file descriptor. */
    readonly number: number,
    options: ConnectionOptions,
  ) {
    this.traffic = host.traffic;
    this.traffic.opened++;
    this.peer = host.engine.join(this);
    this.quietSince = this.openedAt = host.time.now;
    this.connectedSince = host.time.date;
    this.connection = new Connection(stream, 'RES', this, options);
    this.replies = new ReplyOrder(this.connection);
    this.adminOutput = new AdminOutput(this.connection, this.replies);
  }

  // --- the peer speaks ---

  arrived(): void {
    this.host.tick();
  }

  packet(packet: Packet): void {
    this.unitCount++;
    this.traffic.packets[packet.type]!++;
    const refusal = this.obey(packet);
    if (refusal) this.refuse(refusal);
  }

  line(line: string): void {
    this.unitCount++;
    // Any web page can make a browser send a request here, whose body may be admin words or packets.
    if (HTTP_REQUEST.test(line)) return this.abort(new HttpRequestError());
    const isAllowed = this.info.admin !== 'refused' && this.isAllowed('admin');
    this.adminOutput.write(isAllowed ? answerAdmin(this, line) : ADMIN_DENIED);
  }

  invalid(error: ProtocolError): void {
    this.unitCount++;
    this.host.log('warn', `${this.name}: ${error.message}`, { peer: this.name });
    this.refuse(new Refusal('INVALID_PACKET', error.message));
  }

  drained(): void {
    this.adminOutput.drained();
  }

  ended(): void {
    this.replies.onceIdle(() => this.connection.close());
  }

  closed(reason: Error | undefined): void {
    if (reason) this.host.log('warn', `${this.name}: closed: ${reason.message}`, this.openFor());
    this.host.tick();
    this.adminOutput.stop();
    this.traffic.closed[this.closeReason(reason)]++;
    this.traffic.receivedBytes += this.connection.bytesReceived;
    this.traffic.sentBytes += this.connection.bytesSent;
    this.host.engine.leave(this.peer);
    this.host.closed(this);
  }

  // --- the engine speaks ---

  wake(): void {
    this.replies.send(PacketType.NOOP);
  }

  noJob(): void {
    this.replies.send(PacketType.NO_JOB);
  }

  assign(job: Job, kind: GrabKind): void {
    const handle = this.host.engine.handleOf(job);
    const { name } = job.function_;
    if (this.wantsAttempts) this.announceAttempt(job);
    if (job.metadata !== undefined && this.wantsMetadata) {
      this.replies.send(PacketType.OPTION_RES, [METADATA_PREFIX + job.metadata]);
    }
    switch (kind) {
      case 'plain':
        return this.replies.send(PacketType.JOB_ASSIGN, [handle, name, job.workload]);
      case 'unique':
        return this.replies.send(PacketType.JOB_ASSIGN_UNIQ, [handle, name, job.unique, job.workload]);
      case 'all':
        return this.assignWithReducer(job);
    }
  }

  abandoned(job: Job): void {
    this.replies.send(PacketType.OPTION_RES, [WITHDRAWN + this.host.engine.handleOf(job)]);
  }

  data(job: Job, bytes: Workload): void {
    this.tell(PacketType.WORK_DATA, job, bytes);
  }

  warning(job: Job, bytes: Workload): void {
    this.tell(PacketType.WORK_WARNING, job, bytes);
  }

  progress(job: Job): void {
    const { numerator, denominator } = job;
    this.replies.send(PacketType.WORK_STATUS, [this.host.engine.handleOf(job), numerator, denominator]);
  }

  complete(job: Job, result: Workload): void {
    this.tell(PacketType.WORK_COMPLETE, job, result);
  }

  exception(job: Job, bytes: Workload): void {
    this.tell(PacketType.WORK_EXCEPTION, job, bytes);
  }

  fail(job: Job): void {
    this.replies.send(PacketType.WORK_FAIL, [this.host.engine.handleOf(job)]);
  }

  // --- for the job server ---

  /** Closes the connection if a packet has not come to its end in time, or if it is silent and has no business here. */
  closeIfStalled(now: number, limits: { packetTimeout: number; idleTimeout: number }): void {
    const { isPartial } = this.connection;
    const hasMoved = this.unitCount !== this.countAtSweep || isPartial !== this.wasPartial;
    const isAnswered = !this.replies.isPending && this.connection.bufferedBytes === 0;
    if (hasMoved || ((this.hasBusiness || !isAnswered) && !isPartial)) {
      this.countAtSweep = this.unitCount;
      this.wasPartial = isPartial;
      this.quietSince = now;
      return;
    }
    const quiet = now - this.quietSince;
    if (isPartial) {
      if (limits.packetTimeout > 0 && quiet >= limits.packetTimeout) this.connection.destroy(new HalfPacketError());
    } else if (limits.idleTimeout > 0 && quiet >= limits.idleTimeout) {
      this.host.log(
        'info',
        `${this.name}: closed: said nothing for ${limits.idleTimeout} ms (idleTimeout)`,
        this.openFor(),
      );
      this.closing = 'idle';
      this.connection.destroy();
    }
  }

  /** Closes the connection when no job it runs or waits for is running; a worker may stay for what waits. */
  closeUnlessNeeded(mayWorkersStay: boolean): void {
    const { running, waitsFor, abilities } = this.peer;
    if (running.size > 0 || this.replies.isPending || (mayWorkersStay && abilities.size > 0)) return;
    for (const job of waitsFor) if (mayWorkersStay || job.state === 'running') return;
    this.connection.close();
  }

  /** An operator ends the connection: what waits for the peer is sent, and the jobs it runs wait again. */
  disconnect(): void {
    this.closing = 'quiet';
    this.connection.close();
  }

  // --- for the commands ---

  /** How the log names this connection. */
  get name(): string {
    const { address, port } = this.info;
    return `${port === undefined ? address : `${address}:${port}`} (#${this.number})`;
  }

  reply(type: PacketType, args?: readonly Argument[]): void {
    this.replies.send(type, args);
  }

  replyAhead(type: PacketType, args: readonly Argument[]): void {
    this.connection.send(type, args);
  }

  refuse({ code, text }: Refusal, replies: Replies = this.replies): void {
    countOne(this.traffic.errors, code);
    replies.send(PacketType.ERROR, [code, text]);
  }

  /** Asks the `authorize` hook; a refusal to send where it says no. */
  deny(action: Action, function_?: string): Refusal | undefined {
    if (!this.isAllowed(action, function_)) return DENIED;
    this.hasBusiness ||= action === 'work' || action === 'submit';
    return undefined;
  }

  abort(error: Error): void {
    this.connection.destroy(error);
  }

  private isAllowed(action: Action, function_?: string): boolean {
    const { authorize } = this.host;
    if (!authorize) return true;
    const isAllowed = this.ask(authorize, action, function_);
    if (!isAllowed) countOne(this.traffic.denied, action);
    return isAllowed;
  }

  private ask(
    authorize: NonNullable<SessionHost['authorize']>,
    action: Action,
    function_: string | undefined,
  ): boolean {
    try {
      const request = { action, clientId: exactText(this.peer.clientId), peer: this.info };
      return authorize(function_ === undefined ? request : { ...request, function: exactText(function_) });
    } catch (error) {
      this.host.log('error', `authorize threw, so the answer is no: ${String(error)}`, { peer: this.name });
      return false;
    }
  }

  private openFor(): LogFields {
    return { peer: this.name, duration: Math.round(this.host.time.now - this.openedAt) };
  }

  private closeReason(reason: Error | undefined): CloseReason {
    if (reason instanceof SendBufferFullError) return 'unread';
    if (reason instanceof HalfPacketError) return 'stalled';
    if (reason) return 'error';
    return this.closing ?? (this.host.isEnding ? 'ending' : 'peer');
  }

  private obey(packet: Packet): Refusal | undefined {
    if (!packet.isRequest) return REQUEST_EXPECTED;
    if (this.info.admin === 'only') return DENIED;
    const command = COMMANDS[packet.type];
    return command ? command(this, packet) : NOT_EXPECTED;
  }

  private tell(type: PacketType, job: Job, bytes: Workload): void {
    this.replies.send(type, [this.host.engine.handleOf(job), bytes]);
  }

  /** Says before its assignment which attempt at a job this is, unless it is the first. */
  private announceAttempt({ attempts, losses }: Job): void {
    // Where a policy counts attempts, lost workers are among them.
    const earlier = Math.max(attempts, losses);
    if (earlier > 0) this.replies.send(PacketType.OPTION_RES, [attemptOption(earlier + 1)]);
  }

  /** gearmand answers GRAB_JOB_ALL with JOB_ASSIGN_ALL only for a job that has a reducer. */
  private assignWithReducer(job: Job): void {
    const { unique, reducer, workload } = job;
    const handle = this.host.engine.handleOf(job);
    const { name } = job.function_;
    if (reducer === undefined) this.replies.send(PacketType.JOB_ASSIGN_UNIQ, [handle, name, unique, workload]);
    else this.replies.send(PacketType.JOB_ASSIGN_ALL, [handle, name, unique, reducer, workload]);
  }
}
