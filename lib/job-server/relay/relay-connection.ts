import { Connection, dial, type ConnectionListener, type Endpoint } from '../../connection/index.js';
import {
  PacketType,
  type Argument,
  type ByteString,
  type Packet,
  FOLLOW,
  HEARTBEAT,
  OPTION,
} from '../../protocol/index.js';
import type { JobProgress } from '../durable/index.js';

/** How long another job server may take to be connected, in milliseconds. */
const CONNECT_TIMEOUT = 3_000;

/** What a {@link RelayConnection} tells. */
export interface RelayConnectionOwner {
  /** Bytes came; called before what is in them is reported. */
  arrived(): void;
  /** A worker there said something of a job that is followed: WORK_DATA and the like. */
  reported(connection: RelayConnection, packet: Packet): void;
  /** The other job server does not have this job, or no longer has it. */
  notThere(connection: RelayConnection, handle: ByteString): void;
  /** The connection is over, or could not be made; nothing more is told of it. */
  over(connection: RelayConnection, reason: Error | undefined): void;
}

/** A question to the other job server; they are answered in their order. */
type Question = (answer: Packet | undefined) => void;

/** Packets that come without a question: they report about jobs. */
const REPORTS: ReadonlySet<PacketType> = new Set([
  PacketType.WORK_DATA,
  PacketType.WORK_WARNING,
  PacketType.WORK_STATUS,
  PacketType.WORK_COMPLETE,
  PacketType.WORK_FAIL,
  PacketType.WORK_EXCEPTION,
]);

/**
 * A connection to another job server, as a client that waits for jobs there. Once it is over, a
 * new one is made in its place.
 */
export class RelayConnection implements ConnectionListener {
  /** The jobs followed there. */
  readonly handles = new Set<ByteString>();
  private connection: Connection | undefined;
  /** What is to be sent once it is connected. */
  private unsaid: [PacketType, readonly Argument[]][] = [];
  private readonly questions: Question[] = [];
  private readonly giveUp = new AbortController();
  private bytesAtBeat = -1;
  private hasBusiness = true;

  constructor(
    readonly address: string,
    endpoint: Endpoint,
    private readonly maxPacketBytes: number,
    private readonly owner: RelayConnectionOwner,
  ) {
    // The answers need no look: the other job server is one of ours, which knows both options.
    this.ask(PacketType.OPTION_REQ, [OPTION.exceptions], () => undefined);
    this.ask(PacketType.OPTION_REQ, [OPTION.withdrawals], () => undefined);
    void this.connect(endpoint);
  }

  /** Asks for everything that happens to a job that the other job server has. */
  follow(handle: ByteString): void {
    this.handles.add(handle);
    this.ask(PacketType.OPTION_REQ, [FOLLOW + handle], (answer) => {
      if (answer && answer.type !== PacketType.OPTION_RES && this.handles.delete(handle)) {
        this.owner.notThere(this, handle);
      }
    });
  }

  /** Nobody waits for a job any more. */
  unfollow(handle: ByteString): void {
    if (this.handles.delete(handle)) this.ask(PacketType.OPTION_REQ, [`withdraw=${handle}`], () => undefined);
  }

  /** How a job is doing there; undefined where that is not known. */
  status(handle: ByteString): Promise<JobProgress | undefined> {
    return new Promise((resolve) => {
      this.ask(PacketType.GET_STATUS, [handle], (answer) => {
        if (answer?.type !== PacketType.STATUS_RES || answer.byteString(1) !== '1') return resolve(undefined);
        const [isRunning, numerator, denominator] = [2, 3, 4].map((index) => answer.byteString(index));
        resolve({ isRunning: isRunning === '1', numerator: numerator!, denominator: denominator! });
      });
    });
  }

  /**
   * Destroys the connection where nothing has come since the last beat, and asks for an echo;
   * closes it where nothing is wanted of it.
   */
  beat(): void {
    if (!this.connection) return;
    if (!this.hasBusiness && this.handles.size === 0) return this.close();
    const { bytesReceived } = this.connection;
    if (bytesReceived === this.bytesAtBeat) return this.connection.destroy(new Error('it is silent'));
    this.bytesAtBeat = bytesReceived;
    this.connection.send(PacketType.ECHO_REQ, [HEARTBEAT]);
    this.hasBusiness = false;
  }

  close(): void {
    this.giveUp.abort();
    this.connection?.close();
  }

  arrived(): void {
    this.owner.arrived();
  }

  packet(packet: Packet): void {
    if (REPORTS.has(packet.type)) this.owner.reported(this, packet);
    // An echo answers no question, and may come ahead of answers to earlier ones.
    else if (packet.type !== PacketType.ECHO_RES) this.questions.shift()?.(packet);
  }

  closed(reason: Error | undefined): void {
    for (const question of this.questions.splice(0)) question(undefined);
    this.owner.over(this, reason);
  }

  private ask(type: PacketType, args: readonly Argument[], question: Question): void {
    this.hasBusiness = true;
    this.questions.push(question);
    if (this.connection) this.connection.send(type, args);
    else this.unsaid.push([type, args]);
  }

  private async connect(endpoint: Endpoint): Promise<void> {
    try {
      const stream = await dial(endpoint, { timeout: CONNECT_TIMEOUT, signal: this.giveUp.signal });
      this.connection = new Connection(stream, 'REQ', this, { maxPacketBytes: this.maxPacketBytes });
      for (const [type, args] of this.unsaid) this.connection.send(type, args);
      this.unsaid = [];
      if (this.giveUp.signal.aborted) this.connection.close();
    } catch (error) {
      this.closed(error as Error);
    }
  }
}
