import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { atEnd } from './cleanup.js';
import { PATIENCE } from './patience.js';
import { bytesOf, packetBytes, readPacket, type WireMagic } from './wire.js';

/** What {@link RawPeer.next} returns when the other side has closed the connection. */
export const CLOSED = 'closed';

/**
 * The other side of a connection, controlled by a test: it sends exactly the bytes
 * that it is told to, and returns what arrives packet by packet, in the notation of
 * `wire.ts`, or line by line if text arrives. It waits for nothing longer than
 * {@link PATIENCE}.
 *
 * ```ts
 * const worker = await RawPeer.connect(gearmand);
 * worker.send('CAN_DO reverse', 'PRE_SLEEP');
 * expect(await worker.next()).toBe('NOOP');
 * ```
 */
export class RawPeer {
  private arrived = Buffer.alloc(0);
  private hasEnded = false;
  private toldEnds = 0;
  private wake: () => void = () => {};

  /** @param magic what this side sends: `REQ` as a client or worker, `RES` as a job server. */
  constructor(
    readonly stream: Duplex,
    private readonly magic: WireMagic = 'REQ',
  ) {
    const end = (): void => {
      this.hasEnded = true;
      this.wake();
    };
    stream.on('data', (chunk: Buffer) => {
      this.arrived = Buffer.concat([this.arrived, chunk]);
      this.wake();
    });
    // Here a reset ends the connection like anything else; tests see CLOSED.
    stream.on('end', end).on('close', end).on('error', end);
    atEnd(() => void stream.destroy());
  }

  /** Connects to a loopback port as a client or worker. */
  static connect({ port }: { port: number }): Promise<RawPeer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => resolve(new RawPeer(socket)));
    });
  }

  /** Sends packets in notation, or bytes as they are, all in one write. */
  send(...packets: (string | Buffer)[]): void {
    this.stream.write(
      Buffer.concat(packets.map((packet) => (Buffer.isBuffer(packet) ? packet : packetBytes(packet, this.magic)))),
    );
  }

  /** Sends an admin command; the line end is part of `text`. */
  sendText(text: string): void {
    this.stream.write(bytesOf(text));
  }

  /** The next packet in notation, the next line of text with its line end, or {@link CLOSED}. */
  next(deadline = PATIENCE): Promise<string> {
    return this.take('a packet, a line or the end', deadline, () => {
      if (this.arrived.length === 0) return undefined;
      if (this.arrived[0] === 0) {
        const packet = readPacket(this.arrived, this.magic === 'REQ' ? 'RES' : 'REQ');
        return packet && { bytes: packet.size, result: packet.notation };
      }
      const bytes = this.arrived.indexOf('\n') + 1;
      return bytes > 0 ? { bytes, result: this.arrived.toString('latin1', 0, bytes) } : undefined;
    });
  }

  /** The next `count` packets or lines. */
  async nextOnes(count: number): Promise<string[]> {
    const units: string[] = [];
    while (units.length < count) units.push(await this.next());
    return units;
  }

  /** Lines up to and including the one with only a full stop, as at the end of most admin answers; if there is none, all lines before the end, and {@link CLOSED}. */
  async list(): Promise<string[]> {
    const lines = (text: string): string[] => text.match(/[^\n]*\n/g) ?? [];
    // Taken all at once, because line by line a list of 100,000 would need as many promises.
    const list = await this.take('a list', PATIENCE, () => {
      const bytes = endOfList(this.arrived);
      return bytes > 0 ? { bytes, result: this.arrived.toString('latin1', 0, bytes) } : undefined;
    });
    return list === CLOSED ? [...lines(this.unread), CLOSED] : lines(list);
  }

  /** Fails unless exactly these bytes arrive next. */
  async expectBytes(expected: Buffer): Promise<void> {
    const bytes = expected.length;
    const actual = await this.take(`${bytes} bytes`, PATIENCE, () =>
      this.arrived.length >= bytes ? { bytes, result: this.arrived.subarray(0, bytes).toString('hex') } : undefined,
    );
    if (actual !== expected.toString('hex')) throw new Error(`expected ${expected.toString('hex')}, got ${actual}`);
  }

  /**
   * Everything that arrives before the job server's answer to an ECHO_REQ sent now. A
   * job server answers in order, so this is all that it had to say so far. It is the
   * way to check that nothing comes without waiting for a time.
   */
  async untilEcho(tag = 'sync', deadline = PATIENCE): Promise<string[]> {
    this.send(`ECHO_REQ ${tag}`);
    const units: string[] = [];
    for (;;) {
      const unit = await this.next(deadline);
      if (unit === `ECHO_RES ${tag}`) return units;
      units.push(unit);
      if (unit === CLOSED) return units;
    }
  }

  /** Ends this side in good order; the other side may still send. */
  end(): void {
    this.stream.end();
  }

  /** Ends the connection at once, like a crash. */
  destroy(): void {
    this.stream.destroy();
  }

  private async take(
    what: string,
    deadline: number,
    cut: () => { bytes: number; result: string } | undefined,
  ): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    let late: Promise<'late'> | undefined;
    try {
      for (;;) {
        const found = cut();
        if (found) {
          this.arrived = this.arrived.subarray(found.bytes);
          return found.result;
        }
        if (this.hasEnded) return this.tellEnd();
        late ??= new Promise((resolve) => (timer = setTimeout(resolve, deadline, 'late')));
        const news = new Promise<void>((resolve) => (this.wake = resolve));
        if ((await Promise.race([news, late])) === 'late') {
          throw new Error(
            `waited ${deadline} ms in vain for ${what}; unread: ${JSON.stringify(this.unread.slice(0, 200))}`,
          );
        }
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Throws after some repetitions, so that a loop that waits for something else does not go on for ever. */
  private tellEnd(): string {
    if (++this.toldEnds > 100) throw new Error('the connection has ended: nothing more will come');
    return CLOSED;
  }

  private get unread(): string {
    return this.arrived.toString('latin1');
  }
}

/** How many bytes a list has; 0 if its end has not arrived. */
function endOfList(bytes: Buffer): number {
  if (bytes.toString('latin1', 0, 2) === '.\n') return 2;
  const end = bytes.indexOf('\n.\n');
  return end === -1 ? 0 : end + 3;
}
