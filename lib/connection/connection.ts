import type { Duplex } from 'node:stream';
import { GearmanError } from '../ground/index.js';
import {
  type Argument,
  type Magic,
  type Packet,
  type PacketType,
  PacketParser,
  ProtocolError,
} from '../protocol/index.js';
import { Outbox, type Sender } from './outbox.js';
import { SendBuffer } from './send-buffer.js';
import { SHARED_DATA } from './shared-reads.js';
import { Turns } from './turns.js';

/** What a {@link Connection} tells its owner. */
export interface ConnectionListener {
  /** Bytes arrived. Told before the packets in them, once for all that is read in one turn of the event loop. */
  arrived?(): void;
  /** A packet arrived. The object is valid until the call returns, because another packet may use it then; arguments that were read from it stay valid. */
  packet(packet: Packet): void;
  /** An admin line arrived, without its line end. Where this is missing, text is a protocol error. */
  line?(line: string): void;
  /** A packet was unusable but the stream goes on behind it (a missing argument). Where this is missing, it ends the connection. */
  invalid?(error: ProtocolError): void;
  /** Everything that waited to be sent has left. */
  drained?(): void;
  /** The peer has ended its side but may still read. Where this is missing, the connection sends what waits and ends. */
  ended?(): void;
  /** The connection is over; told exactly once. `reason` is missing when either side closed it in good order. */
  closed(reason: Error | undefined): void;
}

/** Options of a {@link Connection}. */
export interface ConnectionOptions {
  /** The largest packet accepted, in bytes. Default 64 MiB. */
  maxPacketBytes?: number;
  /**
   * How much may wait for a peer that does not read, in bytes. A peer that has
   * more than this unread when another packet comes is disconnected, so one
   * packet of any size always passes. Default 64 MiB: peers may write megabytes
   * of requests before they read an answer, and a smaller bound would cut them off.
   */
  maxSendBufferBytes?: number;
  /** The buffers and the moment of sending that it shares with other connections of its owner. Default: an outbox of its own. */
  outbox?: Outbox;
  /** The turns of the event loop that it shares with other connections, so that a peer that sends a lot delays nobody. Default: turns of its own. */
  turns?: Turns;
}

/** The default of `maxSendBufferBytes`: 64 MiB. */
export const DEFAULT_MAX_SEND_BUFFER_BYTES = 64 * 1024 * 1024;

/**
 * So many packets are written at once, even if the turn goes on. If each turn made only one write, 64 requests in flight
 * would travel through client, job server and worker as one block, and each of the three would wait for the other two:
 * 41,000 requests a second instead of 66,000 (`npm run bench -- transports`; 16, 24, 40 and 48 gave 51,000 to 59,000).
 */
const PACKETS_A_WRITE = 32;

/** After how many packets the connection checks whether the turn is over; reading the clock for each would cost too much. */
const UNITS_A_LOOK = 4;

/** A peer read too slowly for what was sent to it. */
export class SendBufferFullError extends GearmanError {
  override readonly name = 'SendBufferFullError';

  constructor(readonly maxSendBufferBytes: number) {
    super(
      'GEARMAN_SEND_BUFFER_FULL',
      `the peer left more than ${maxSendBufferBytes} bytes unread (maxSendBufferBytes)`,
    );
  }
}

/**
 * Gearman packets over any Duplex: TCP, TLS, a unix socket, a pair in memory.
 *
 * Sending is cheap and never blocks: packets gather until the event loop has
 * read all input, and leave in one write, because on loopback the write system
 * call is most of what a packet costs. Where many have gathered they leave
 * earlier, so that the peer can begin to work on them.
 *
 *   open --close()--> flushed, ended --peer's end--> closed
 *     |                                                ^
 *     +--destroy(reason), error, peer gone ------------+
 */
export class Connection implements Sender {
  private readonly parser: PacketParser;
  /** See {@link ConnectionOptions.maxSendBufferBytes}. */
  readonly maxSendBufferBytes: number;
  private readonly unsent: SendBuffer;
  private readonly outbox: Outbox;
  private heldBytes = 0;
  private isFlushScheduled = false;
  private isOpen = true;
  private isEnding = false;
  private isPaused = false;
  /** The rest of what has arrived is read in later turns. */
  private isResting = false;
  /** The peer has ended its side, but bytes that came before the end are not read yet. */
  private hasEndToTell = false;
  private unitsToLook = UNITS_A_LOOK;
  /** The turns of the event loop that it shares with other connections. */
  readonly turns: Turns;
  private reason: Error | undefined;
  /** How many bytes the peer has sent. Whoever waits for a sign of life compares two readings. */
  bytesReceived = 0;
  /** How many bytes were handed to the stream for the peer. */
  bytesSent = 0;

  /**
   * @param magic what this side sends: `REQ` towards a job server, `RES` from one.
   */
  constructor(
    private readonly stream: Duplex,
    magic: Magic,
    private readonly listener: ConnectionListener,
    options: ConnectionOptions = {},
  ) {
    this.parser = new PacketParser(options);
    this.maxSendBufferBytes = options.maxSendBufferBytes ?? DEFAULT_MAX_SEND_BUFFER_BYTES;
    this.outbox = options.outbox ?? new Outbox();
    this.unsent = new SendBuffer(stream, magic, this.outbox);
    this.turns = options.turns ?? new Turns();
    stream.on('data', (chunk: Buffer) => this.read(chunk));
    stream.on(SHARED_DATA, (buffer: Buffer, bytes: number) => this.readShared(buffer, bytes));
    stream.on('drain', () => this.flush());
    stream.on('end', () => this.inTurn(() => this.hearEnd()));
    stream.on('error', (error: Error) => this.destroy(error));
    this.whenClosed = new Promise((resolve) => {
      const over = (): void =>
        this.inTurn(() => {
          this.finish();
          resolve();
        });
      // A stream that was already closed does not emit `close` again.
      if (stream.closed) setImmediate(over);
      else stream.on('close', over);
    });
  }

  /** Resolves when the connection is over. */
  readonly whenClosed: Promise<void>;

  /** True until either side closes the connection; whatever is sent afterwards is dropped. */
  get writable(): boolean {
    return this.isOpen && !this.isEnding;
  }

  /** Bytes that wait for the peer to read. */
  get bufferedBytes(): number {
    return this.unsent.bytes + this.stream.writableLength;
  }

  /** True while the peer has sent the beginning of a packet and not its end. */
  get isPartial(): boolean {
    return this.parser.isPartial;
  }

  /** Queues a packet. Strings are byte strings; only the last argument may contain NULs. */
  send(type: PacketType, args: readonly Argument[] = NO_ARGUMENTS): void {
    if (!this.takesMore()) return;
    this.unsent.add(type, args);
    this.flushLater();
    if (this.unsent.packets >= PACKETS_A_WRITE && !this.stream.writableNeedDrain) this.write();
  }

  /** Queues bytes as they are: an admin command, or the answer to one. */
  sendText(text: string | Buffer): void {
    if (!this.takesMore()) return;
    this.unsent.addBytes(typeof text === 'string' ? Buffer.from(text, 'latin1') : text);
    this.flushLater();
  }

  /**
   * Adds bytes that are kept back, to be sent to the peer later, to those that
   * count as unread by it; a negative number takes them off again.
   */
  hold(bytes: number): void {
    if (bytes > 0 && this.isTooSlow) this.destroy(new SendBufferFullError(this.maxSendBufferBytes));
    this.heldBytes += bytes;
  }

  /** Delivers no more packets until {@link resume}; what the peer sends waits in the system's buffers. */
  pause(): void {
    this.isPaused = true;
    this.stream.pause();
  }

  /** Reads on after {@link pause}. */
  resume(): void {
    if (!this.isOpen) return;
    this.isPaused = false;
    if (this.isResting) return;
    this.readOn();
    this.listenOn();
  }

  /** Sends what waits, then ends the connection in good order. */
  close(): void {
    if (this.isEnding || !this.isOpen) return;
    this.flush();
    this.isEnding = true;
    if (this.unsent.bytes === 0) this.stream.end();
  }

  /** Ends the connection at once; what waits is dropped. */
  destroy(reason?: Error): void {
    if (!this.isOpen) return;
    this.reason ??= reason;
    this.isOpen = false;
    this.unsent.drop();
    this.stream.destroy();
  }

  /** Sends what waits, now. Needed only where the end of the turn is too late. */
  flush(): void {
    if (!this.isOpen || this.stream.writableNeedDrain) return;
    if (this.unsent.bytes > 0) this.write();
    if (this.isEnding) this.stream.end();
    else if (!this.stream.writableNeedDrain) this.listener.drained?.();
  }

  sendGathered(): void {
    this.isFlushScheduled = false;
    // A listener that throws ends its own connection, not what the others have to send.
    try {
      this.flush();
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  private get isTooSlow(): boolean {
    return this.bufferedBytes + this.heldBytes > this.maxSendBufferBytes;
  }

  /** False if the connection is closed. A peer that is too slow is disconnected here. */
  private takesMore(): boolean {
    if (!this.writable) return false;
    if (!this.isTooSlow) return true;
    this.destroy(new SendBufferFullError(this.maxSendBufferBytes));
    return false;
  }

  /** Hands what waits to the stream; only called when the stream accepts more. */
  private write(): void {
    this.bytesSent += this.unsent.bytes;
    this.unsent.flush();
  }

  private flushLater(): void {
    if (this.isFlushScheduled) return;
    this.isFlushScheduled = true;
    this.outbox.add(this);
  }

  /** Calls `act` now, or in a later turn if this one is over: when many peers leave together, all their connections do this at once. */
  private inTurn(act: () => void): void {
    if (!this.turns.isOver) return act();
    this.turns.run(() => {
      act();
      return false;
    });
  }

  private read(chunk: Buffer): void {
    if (!this.isOpen) return;
    this.bytesReceived += chunk.length;
    this.parser.push(chunk);
    this.readOn();
  }

  /** Reads the first bytes of a buffer that is overwritten afterwards; bytes that this turn does not read are copied. */
  private readShared(buffer: Buffer, bytes: number): void {
    if (!this.isOpen) return;
    this.bytesReceived += bytes;
    this.parser.pushShared(buffer, bytes);
    this.readOn();
    this.parser.keepRest();
  }

  /** Reads what has arrived until nothing is left or the turn is over; then later turns read the rest. */
  private readOn(): void {
    for (let isFirst = true; this.readSome(isFirst); isFirst = false) {
      if (!this.turns.isOver) continue;
      this.isResting = true;
      this.stream.pause();
      this.turns.run(this.goOn);
      return;
    }
  }

  private readonly goOn = (): boolean => {
    if (this.readSome(true)) return true;
    this.isResting = false;
    this.listenOn();
    return false;
  };

  /** Lets the stream flow again after all that has arrived was read. */
  private listenOn(): void {
    if (!this.isOpen || this.isPaused || this.isResting) return;
    this.stream.resume();
    if (this.hasEndToTell) this.hearEnd();
  }

  private hearEnd(): void {
    this.hasEndToTell = this.isPaused || this.isResting;
    if (this.hasEndToTell) return;
    if (this.listener.ended) this.listener.ended();
    else this.close();
  }

  /** Reads a few packets or lines; false when nothing is left, or reading is paused or over. */
  private readSome(isFirst: boolean): boolean {
    // A listener that throws ends its own connection, not the process with all the others.
    try {
      if (isFirst) this.listener.arrived?.();
      while (this.isOpen && !this.isPaused && this.readOne()) {
        if (--this.unitsToLook > 0) continue;
        this.unitsToLook = UNITS_A_LOOK;
        return true;
      }
    } catch (error) {
      this.destroy(error as Error);
    }
    return false;
  }

  private readOne(): boolean {
    const unit = this.parse();
    if (unit === undefined) return false;
    if (unit instanceof ProtocolError) this.listener.invalid!(unit);
    else if (typeof unit !== 'string') this.listener.packet(unit);
    else if (this.listener.line) this.listener.line(unit);
    else throw new ProtocolError('GEARMAN_BAD_MAGIC', 'the peer speaks text where packets were expected');
    return true;
  }

  /** The next packet or line; or the error of an unusable packet, if the listener has `invalid`. */
  private parse(): Packet | string | ProtocolError | undefined {
    try {
      return this.parser.next();
    } catch (error) {
      if (error instanceof ProtocolError && error.recoverable && this.listener.invalid) return error;
      throw error;
    }
  }

  private finish(): void {
    const wasOpen = this.isOpen;
    this.isOpen = false;
    this.unsent.drop();
    this.listener.closed(wasOpen ? undefined : this.reason);
  }
}

const NO_ARGUMENTS: readonly Argument[] = [];
