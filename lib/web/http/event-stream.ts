import type { ServerResponse } from 'node:http';
import { isUtf8 } from 'node:buffer';
import type { Gzip } from 'node:zlib';
import type { Budget } from './budget.js';
import { whenClosed } from './connections.js';
import { eventPacker, packedHeaders, acceptsGzip } from './packing.js';
import type { WebTraffic } from './web-traffic.js';

/** How many bytes of an event stream may be unread before it is cut off. */
const MAX_UNREAD = 1_048_576;

/** How long the client may take to read the rest after the end, in milliseconds. */
const READ_TIMEOUT = 60_000;

/** How often a comment is sent, so that no proxy thinks the stream dead, in milliseconds. */
const KEEP_ALIVE = 15_000;

/** Why a stream is cut off: the data of its last event, `cut`. */
const CUT = {
  unread: 'Events were not read fast enough.',
  'too-busy': 'Too much is on its way to those who read events and results; ask again soon.',
} as const;

/**
 * An answer of server-sent events. A client who does not read is cut off; if it
 * reads on, the last event, `cut`, says why.
 */
export class EventStream {
  private readonly keepAlive: NodeJS.Timeout;
  /** How many characters were sent and not read yet; so much of the budget is borrowed. */
  private unread = 0;
  private whenRead: (() => void) | undefined;
  private readonly packer: Gzip | undefined;
  private hasEnded = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly budget: Budget,
    traffic: WebTraffic,
  ) {
    const isPacked = acceptsGzip(response.req);
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
      ...packedHeaders(isPacked),
    });
    traffic.streams(response);
    if (isPacked) this.packer = this.packInto(eventPacker());
    this.put('retry: 2000\n\n');
    this.keepAlive = setInterval(() => this.write(': \n\n'), KEEP_ALIVE);
    this.keepAlive.unref();
    whenClosed(response, () => {
      clearInterval(this.keepAlive);
      this.packer?.destroy();
      budget.giveBack(this.unread);
      this.unread = 0;
      this.whenRead?.();
    });
    // A client that asks only for the headers would wait for the end.
    if (response.req.method === 'HEAD') this.end();
  }

  /** Whether nothing can be sent any more. */
  get isOver(): boolean {
    return this.hasEnded || this.response.destroyed || this.response.closed || this.response.writableEnded;
  }

  /** Whether the client reads so slowly that unimportant events should be left out. */
  get isSlow(): boolean {
    return this.unread > MAX_UNREAD / 4;
  }

  /** Sends one event; its data is JSON. @param id what the browser sends as Last-Event-ID when it comes back. */
  send(event: string, data: unknown, id?: string): void {
    this.sendJson(event, JSON.stringify(data), id);
  }

  /** The same, with data that is JSON already. */
  sendJson(event: string, json: string, id?: string): void {
    this.write(`${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${json}\n\n`);
  }

  /** Sends one event with bytes of any length; they are converted only if they can be sent. */
  sendBytes(event: string, bytes: Uint8Array, more: object = {}): void {
    if (this.mayTake(bytes.length)) this.send(event, { ...more, ...bytesAsJson(bytes) });
  }

  /** Resolves when the client has caught up, or the stream is over; cuts it off if that takes too long. */
  async keptUp(): Promise<void> {
    if (!this.isSlow || this.isOver) return;
    const timer = setTimeout(() => this.cut('unread'), READ_TIMEOUT).unref();
    await new Promise<void>((resolve) => (this.whenRead = resolve));
    this.whenRead = undefined;
    clearTimeout(timer);
  }

  end(): void {
    clearInterval(this.keepAlive);
    if (this.isOver) return;
    this.hasEnded = true;
    if (this.packer) this.packer.end();
    else this.response.end();
    const timer = setTimeout(() => this.response.destroy(), READ_TIMEOUT);
    timer.unref();
    this.response.once('close', () => clearTimeout(timer));
  }

  private write(text: string): void {
    if (!this.mayTake(text.length)) return;
    this.budget.borrow(text.length);
    this.unread += text.length;
    this.put(text, () => this.wasRead(text.length));
  }

  /** @param whenRead called when everything so far is on its way to the reader. */
  private put(text: string, whenRead: () => void = () => undefined): void {
    if (!this.packer) this.response.write(text, whenRead);
    // The packed bytes stand before this empty one in the response.
    else this.packer.write(text, () => this.response.write('', whenRead));
  }

  private packInto(packer: Gzip): Gzip {
    packer.on('data', (bytes: Buffer) => this.response.write(bytes));
    packer.once('end', () => this.response.end());
    packer.on('error', () => this.response.destroy());
    return packer;
  }

  /** Whether more may be sent; cuts the stream off if not. */
  private mayTake(length: number): boolean {
    if (this.isOver) return false;
    // An event may be as large as a packet, so only what was unread before it counts.
    if (this.unread > MAX_UNREAD) this.cut('unread');
    else if (!this.budget.hasRoom(length)) this.cut('too-busy');
    return !this.isOver;
  }

  private cut(code: keyof typeof CUT): void {
    if (this.isOver) return;
    const { response } = this;
    // Kept, because an answer that is over has no socket any more.
    const { socket } = response;
    this.put(`event: cut\ndata: ${JSON.stringify({ code, detail: CUT[code] })}\n\n`);
    this.end();
    // The connection is not used for further requests: a client who did not read this would not read their answers.
    response.once('finish', () => socket?.destroy());
    this.whenRead?.();
  }

  private wasRead(length: number): void {
    if (this.unread === 0) return;
    this.unread -= length;
    this.budget.giveBack(length);
    if (!this.isSlow) this.whenRead?.();
  }
}

/** Bytes within JSON: as text if they are UTF-8, otherwise in base64. */
export function bytesAsJson(bytes: Uint8Array): { text: string } | { base64: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? { text: buffer.toString() } : { base64: buffer.toString('base64') };
}
