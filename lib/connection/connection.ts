import type { Duplex } from 'node:stream';
import {
  encodedBytes,
  encodeInto,
  HEADER_BYTES,
  type Argument,
  type Magic,
  type Packet,
  type PacketType,
  PacketParser,
  ProtocolError,
} from '../protocol/index.js';

/** What a {@link Connection} tells its owner. */
export interface ConnectionListener {
  /** A packet arrived. */
  packet(packet: Packet): void;
  /** An admin line arrived, without its line end. Where this is missing, text is a protocol error. */
  line?(line: string): void;
  /** A packet was unusable but the stream goes on behind it (a missing argument). Where this is missing, it ends the connection. */
  invalid?(error: ProtocolError): void;
  /** Everything that waited to be sent has left. */
  drained?(): void;
  /** The peer will say nothing more but may still read. Where this is missing, what waits is sent and the connection ends. */
  ended?(): void;
  /** The connection is over, told exactly once; `reason` is missing when either side closed it in good order. */
  closed(reason: Error | undefined): void;
}

/** Options of a {@link Connection}. */
export interface ConnectionOptions {
  /** The largest packet accepted, in bytes. Default 64 MiB. */
  maxPacketBytes?: number;
  /**
   * How much may wait for a peer that does not read, in bytes; a peer that has
   * left more unread when another packet comes is disconnected, so that one
   * packet of any size always passes. Default 64 MiB: peers may write megabytes
   * of requests before they read an answer, and a smaller bound would cut them off.
   */
  maxSendBufferBytes?: number;
}

/** The default of `maxSendBufferBytes`: 64 MiB. */
export const DEFAULT_MAX_SEND_BUFFER_BYTES = 64 * 1024 * 1024;

/** From this size on an argument is handed to the stream as it is, not copied behind its header. */
const COPY_LIMIT_BYTES = 32 * 1024;

/** A peer read too slowly for what was sent to it. */
export class SendBufferFullError extends Error {
  override readonly name = 'SendBufferFullError';

  constructor(readonly maxSendBufferBytes: number) {
    super(`the peer left more than ${maxSendBufferBytes} bytes unread (maxSendBufferBytes)`);
  }
}

/**
 * Gearman packets over any Duplex: TCP, TLS, a unix socket, a pair in memory.
 *
 * Sending is cheap and never blocks: packets wait until the event loop has
 * read what there was to read and leave in one write, since on loopback the
 * write system call is most of what a packet costs.
 *
 *   open --close()--> flushed, ended --peer's end--> closed
 *     |                                                ^
 *     +--destroy(reason), error, peer gone ------------+
 */
export class Connection {
  private readonly parser: PacketParser;
  /** See {@link ConnectionOptions.maxSendBufferBytes}. */
  readonly maxSendBufferBytes: number;
  private queue: Outgoing[] = [];
  private queuedBytes = 0;
  private heldBytes = 0;
  private isFlushScheduled = false;
  private isOpen = true;
  private isEnding = false;
  private isPaused = false;
  private reason: Error | undefined;
  /** How much the peer has sent: who waits for a sign of life compares. */
  bytesReceived = 0;

  /**
   * @param magic what this side sends: `REQ` towards a job server, `RES` from one.
   */
  constructor(
    private readonly stream: Duplex,
    private readonly magic: Magic,
    private readonly listener: ConnectionListener,
    { maxPacketBytes, maxSendBufferBytes = DEFAULT_MAX_SEND_BUFFER_BYTES }: ConnectionOptions = {},
  ) {
    this.parser = new PacketParser({ maxPacketBytes });
    this.maxSendBufferBytes = maxSendBufferBytes;
    stream.on('data', (chunk: Buffer) => this.read(chunk));
    stream.on('drain', () => this.flush());
    stream.on('end', () => (listener.ended ? listener.ended() : this.close()));
    stream.on('error', (error: Error) => this.destroy(error));
    this.whenClosed = new Promise((resolve) => {
      stream.on('close', () => {
        this.finish();
        resolve();
      });
    });
  }

  /** Resolves when the connection is over. */
  readonly whenClosed: Promise<void>;

  /** True until the connection is closed from either side; what is sent later is dropped. */
  get writable(): boolean {
    return this.isOpen && !this.isEnding;
  }

  /** Bytes that wait for the peer to read. */
  get bufferedBytes(): number {
    return this.queuedBytes + this.stream.writableLength;
  }

  /** True while the peer has sent the beginning of a packet and not its end. */
  get isPartial(): boolean {
    return this.parser.isPartial;
  }

  /** Queues a packet. Strings are byte strings, and free of NULs but for the last argument. */
  send(type: PacketType, args: readonly Argument[] = NO_ARGUMENTS): void {
    this.enqueue({ type, args }, encodedBytes(args));
  }

  /** Queues bytes as they are: an admin command, or the answer to one. */
  sendText(text: string | Buffer): void {
    const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text;
    this.enqueue(bytes, bytes.length);
  }

  /**
   * Counts bytes that are kept back for the peer, to be sent later, among those
   * it has left unread; negative when they are kept no longer.
   */
  hold(bytes: number): void {
    if (bytes > 0 && this.isTooSlow) this.destroy(new SendBufferFullError(this.maxSendBufferBytes));
    this.heldBytes += bytes;
  }

  /** Delivers no more packets until {@link resume}; what the peer sends waits in its own buffers. */
  pause(): void {
    this.isPaused = true;
    this.stream.pause();
  }

  /** Reads on after {@link pause}. */
  resume(): void {
    if (!this.isOpen) return;
    this.isPaused = false;
    this.readOn();
    if (!this.isPaused) this.stream.resume();
  }

  /** Sends what waits, then ends the connection in good order. */
  close(): void {
    if (this.isEnding || !this.isOpen) return;
    this.flush();
    this.isEnding = true;
    if (this.queue.length === 0) this.stream.end();
  }

  /** Ends the connection at once; what waits is dropped. */
  destroy(reason?: Error): void {
    if (!this.isOpen) return;
    this.reason ??= reason;
    this.isOpen = false;
    this.queue = [];
    this.queuedBytes = 0;
    this.stream.destroy();
  }

  /** Sends what waits, now. Needed only by who cannot wait for the event loop's turn. */
  flush(): void {
    this.isFlushScheduled = false;
    if (!this.isOpen || this.stream.writableNeedDrain) return;
    if (this.queue.length > 0) {
      const queue = this.queue;
      this.queue = [];
      const bytes = this.queuedBytes;
      this.queuedBytes = 0;
      writeAll(this.stream, this.magic, queue, bytes);
    }
    if (this.isEnding) this.stream.end();
    else if (!this.stream.writableNeedDrain) this.listener.drained?.();
  }

  private get isTooSlow(): boolean {
    return this.bufferedBytes + this.heldBytes > this.maxSendBufferBytes;
  }

  private enqueue(outgoing: Outgoing, bytes: number): void {
    if (!this.writable) return;
    if (this.isTooSlow) {
      this.destroy(new SendBufferFullError(this.maxSendBufferBytes));
      return;
    }
    this.queue.push(outgoing);
    this.queuedBytes += bytes;
    if (!this.isFlushScheduled) {
      this.isFlushScheduled = true;
      setImmediate(this.flushLater);
    }
  }

  private readonly flushLater = (): void => this.flush();

  private read(chunk: Buffer): void {
    if (!this.isOpen) return;
    this.bytesReceived += chunk.length;
    this.parser.push(chunk);
    this.readOn();
  }

  private readOn(): void {
    // A listener that throws ends its own connection, not the process with all the others.
    try {
      while (this.isOpen && !this.isPaused && this.readOne());
    } catch (error) {
      this.destroy(error as Error);
    }
  }

  private readOne(): boolean {
    const unit = this.parse();
    if (unit === undefined) return false;
    if (unit instanceof ProtocolError) this.listener.invalid!(unit);
    else if (typeof unit !== 'string') this.listener.packet(unit);
    else if (this.listener.line) this.listener.line(unit);
    else throw new ProtocolError('BAD_MAGIC', 'the peer speaks text where packets were expected');
    return true;
  }

  /** The next packet or line, or the error of one that is unusable, where the listener wants to hear of it. */
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
    this.queue = [];
    this.queuedBytes = 0;
    this.listener.closed(wasOpen ? undefined : this.reason);
  }
}

const NO_ARGUMENTS: readonly Argument[] = [];

/** A packet that waits, or the bytes of an admin line. */
type Outgoing = { type: PacketType; args: readonly Argument[] } | Buffer;

/** Encodes everything that waits into one chunk, large arguments apart, and hands it to the stream as one write. */
function writeAll(stream: Duplex, magic: Magic, queue: readonly Outgoing[], bytes: number): void {
  if (!queue.some(hasLargeArgument)) {
    const chunk = Buffer.allocUnsafe(bytes);
    let offset = 0;
    for (const outgoing of queue) offset = copyInto(chunk, offset, magic, outgoing);
    stream.write(chunk);
    return;
  }
  stream.cork();
  for (const outgoing of queue) writeOne(stream, magic, outgoing);
  stream.uncork();
}

function copyInto(chunk: Buffer, offset: number, magic: Magic, outgoing: Outgoing): number {
  if (!Buffer.isBuffer(outgoing)) return encodeInto(chunk, offset, magic, outgoing.type, outgoing.args);
  chunk.set(outgoing, offset);
  return offset + outgoing.length;
}

function writeOne(stream: Duplex, magic: Magic, outgoing: Outgoing): void {
  if (Buffer.isBuffer(outgoing)) {
    stream.write(outgoing);
    return;
  }
  const { type, args } = outgoing;
  const bytes = encodedBytes(args);
  if (!hasLargeArgument(outgoing)) {
    const chunk = Buffer.allocUnsafe(bytes);
    encodeInto(chunk, 0, magic, type, args);
    stream.write(chunk);
    return;
  }
  const last = args[args.length - 1] as Uint8Array;
  const head = Buffer.allocUnsafe(bytes - last.length);
  encodeInto(head, 0, magic, type, [...args.slice(0, -1), '']);
  head.writeUInt32BE(bytes - HEADER_BYTES, 8);
  stream.write(head);
  stream.write(last);
}

function hasLargeArgument(outgoing: Outgoing): boolean {
  if (Buffer.isBuffer(outgoing)) return false;
  const last = outgoing.args[outgoing.args.length - 1];
  return last !== undefined && typeof last !== 'string' && last.length >= COPY_LIMIT_BYTES;
}
