import {
  Backoff,
  Connection,
  ConnectError,
  dial,
  problemOf,
  type BackoffOptions,
  type Endpoint,
} from '../connection/index.js';
import { HEARTBEAT, PacketType, type Argument, type Packet } from '../protocol/index.js';
import { ConnectionLostError, TimeoutError } from './errors.js';

/** What a {@link Link} tells its owner. */
export interface LinkOwner {
  /**
   * The stream is open: the owner introduces itself. What it sends here leaves
   * before anything else, and the job server has read it when `ready` is told.
   */
  greet(): void;
  /** An answer to the greeting, before `ready`. */
  greeted(packet: Packet): void;
  /** The job server has answered: the link can be used. */
  ready(): void;
  /** A packet, after `ready`. */
  packet(packet: Packet): void;
  /** Everything that waited to be sent has left. */
  drained(): void;
  /** The link was ready and is lost; open questions get no answer. The link connects again by itself. */
  lost(reason: Error): void;
  /** An attempt failed, or the link was lost; the next attempt is made in `delay` milliseconds. */
  retrying(reason: Error, delay: number): void;
}

/** How a {@link Link} behaves; all times in milliseconds. */
export interface LinkSettings {
  connectTimeout: number;
  reconnect: Required<BackoffOptions>;
  heartbeatInterval: number;
  heartbeatTimeout: number;
  maxPacketBytes: number;
  /** If more bytes than this wait to be sent, the connection is ended. */
  maxSendBufferBytes: number;
}

/** The data of the link's first ECHO_REQ; by it the answer differs from answers to the owner. */
const GREETING = '\0nestjs-gearman greeting';

/** How long a job server may take to close its side, in milliseconds; then the link ends the connection itself. */
const CLOSE_TIMEOUT = 1_000;

/**
 * The connection to one job server, made again whenever it is lost.
 *
 *   idle --open--> connecting --greeting answered--> ready
 *                   ^      |                           |
 *                   |    failed                      lost
 *                   |      v                           |
 *                   +-- waiting <----------------------+
 *
 *   any of them --close--> closed
 *
 * Every connection begins with the owner's greeting and an ECHO_REQ, whose answer
 * shows that a job server is there and has read the greeting. Later ECHO_REQs are
 * the heartbeat: a machine that died without closing its connections is noticed
 * within heartbeatInterval + heartbeatTimeout.
 */
export class Link {
  private state: 'idle' | 'connecting' | 'ready' | 'waiting' | 'closed' = 'idle';
  private connection: Connection | undefined;
  private readonly backoff: Backoff;
  private readonly abort = new AbortController();
  /** The time limit of the greeting, the wait before the next attempt, or the heartbeat: never two at once. */
  private timer: NodeJS.Timeout | undefined;
  private readySince = 0;
  private whenOver: (() => void) | undefined;
  /** Why the last attempt failed, or why the link was lost. */
  lastError: Error | undefined;

  constructor(
    readonly endpoint: Endpoint,
    private readonly settings: LinkSettings,
    private readonly owner: LinkOwner,
  ) {
    this.backoff = new Backoff(settings.reconnect);
  }

  /** The address' name. */
  get name(): string {
    return this.endpoint.name;
  }

  get isReady(): boolean {
    return this.state === 'ready';
  }

  /** Bytes that wait for the job server to read them. */
  get bufferedBytes(): number {
    return this.connection?.bufferedBytes ?? 0;
  }

  /** Makes the first attempt; later calls do nothing. */
  open(): void {
    if (this.state === 'idle') void this.connect();
  }

  /** Sends a packet. Without a connection it is dropped; the owner knows that from `lost`. */
  send(type: PacketType, args?: readonly Argument[]): void {
    this.connection?.send(type, args);
  }

  /** Ends the connection at once; the link connects again. */
  drop(reason: Error): void {
    this.connection?.destroy(reason);
  }

  /** Sends what waits, ends the connection in good order, and resolves when it is over. The owner is told nothing more. */
  close(): Promise<void> {
    const { connection } = this;
    this.enter('closed');
    this.abort.abort();
    if (!connection) return Promise.resolve();
    return new Promise((resolve) => {
      this.whenOver = resolve;
      this.timer = setTimeout(() => connection.destroy(), CLOSE_TIMEOUT);
      connection.close();
    });
  }

  private enter(state: Link['state']): void {
    clearTimeout(this.timer);
    this.state = state;
  }

  private get isClosed(): boolean {
    return this.state === 'closed';
  }

  private async connect(): Promise<void> {
    this.enter('connecting');
    const { connectTimeout: timeout } = this.settings;
    try {
      const started = performance.now();
      const stream = await dial(this.endpoint, { timeout, signal: this.abort.signal });
      if (this.isClosed) return void stream.destroy();
      const left = Math.max(1, timeout - (performance.now() - started));
      this.connection = new Connection(stream, 'REQ', this, this.settings);
      this.timer = setTimeout(() => {
        this.drop(new ConnectError(this.name, `connected, but no answer within ${timeout} ms (connectTimeout)`));
      }, left);
      this.owner.greet();
      this.connection.send(PacketType.ECHO_REQ, [GREETING]);
    } catch (error) {
      if (!this.isClosed) this.retry(error as Error);
    }
  }

  /** @internal for its {@link Connection} */
  packet(packet: Packet): void {
    if (packet.type === PacketType.ECHO_RES && this.hearEcho(packet)) return;
    if (this.state === 'ready') this.owner.packet(packet);
    else if (this.state === 'connecting') this.owner.greeted(packet);
  }

  /** @internal for its {@link Connection} */
  drained(): void {
    if (this.state === 'ready') this.owner.drained();
  }

  /** @internal for its {@link Connection} */
  closed(reason: Error | undefined): void {
    this.connection = undefined;
    if (this.state === 'closed') {
      clearTimeout(this.timer);
      this.whenOver?.();
    } else if (this.state === 'ready') {
      const problem = reason ? problemOf(reason) : 'it closed the connection';
      const lost = new ConnectionLostError(this.name, problem, { cause: reason });
      if (performance.now() - this.readySince > this.settings.reconnect.maxDelay) this.backoff.reset();
      this.enter('waiting');
      this.owner.lost(lost);
      // The owner may have closed the link.
      if (!this.isClosed) this.retry(lost);
    } else {
      this.retry(asConnectError(this.name, reason));
    }
  }

  private hearEcho(packet: Packet): boolean {
    const data = packet.lengthOf(0) > HEARTBEAT.length ? '' : packet.byteString(0);
    if (data === GREETING && this.state === 'connecting') {
      this.enter('ready');
      this.readySince = performance.now();
      this.lastError = undefined;
      this.rest();
      this.owner.ready();
      return true;
    }
    return data === HEARTBEAT;
  }

  private retry(reason: Error): void {
    this.enter('waiting');
    this.lastError = reason;
    const delay = this.backoff.next();
    this.timer = setTimeout(() => void this.connect(), delay);
    this.owner.retrying(reason, delay);
  }

  /** Waits until the next heartbeat. Its timers keep no process alive. */
  private rest(): void {
    const { heartbeatInterval } = this.settings;
    if (heartbeatInterval > 0) this.timer = setTimeout(() => this.beat(), heartbeatInterval).unref();
  }

  private beat(): void {
    const connection = this.connection!;
    const { bytesReceived, bufferedBytes } = connection;
    connection.send(PacketType.ECHO_REQ, [HEARTBEAT]);
    // The ECHO_REQ may wait behind a large workload. The system accepts more bytes of that
    // only as the other side confirms some, which is a sign of life as well.
    const isAlive = () => connection.bytesReceived > bytesReceived || connection.bufferedBytes < bufferedBytes;
    this.timer = setTimeout(() => {
      if (isAlive()) return this.rest();
      // If our own process was busy, the answer may not be read yet: one turn of the event loop reads it.
      setImmediate(() => {
        if (this.connection !== connection || this.state !== 'ready') return;
        if (isAlive()) this.rest();
        else this.drop(new TimeoutError('its answer to an ECHO', this.settings.heartbeatTimeout, 'heartbeatTimeout'));
      });
    }, this.settings.heartbeatTimeout).unref();
  }
}

function asConnectError(server: string, reason: Error | undefined): ConnectError {
  if (reason instanceof ConnectError) return reason;
  const problem = reason ? problemOf(reason) : 'it closed the connection before it answered';
  return new ConnectError(server, `${problem}; is it a Gearman job server, and is \`tls\` right for it?`, {
    cause: reason,
  });
}
