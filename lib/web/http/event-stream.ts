import type { ServerResponse } from 'node:http';
import { isUtf8 } from 'node:buffer';
import type { Budget } from './budget.js';

/** How much an event stream may leave unread before it is ended, in bytes. */
const MAX_UNREAD = 1_048_576;

/** How long the rest may take to be read once it has ended, in milliseconds. */
const READ_TIMEOUT = 60_000;

/** How often a comment is sent, so that nobody between takes the stream for dead, in milliseconds. */
const KEEP_ALIVE = 15_000;

/** Server-sent events as an answer. Who does not read them is cut off. */
export class EventStream {
  private readonly keepAlive: NodeJS.Timeout;
  /** What was sent and not yet read, in characters: so much of the budget is taken. */
  private unread = 0;

  constructor(
    private readonly response: ServerResponse,
    private readonly budget: Budget,
  ) {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.write('retry: 2000\n\n');
    this.keepAlive = setInterval(() => this.write(': \n\n'), KEEP_ALIVE);
    this.keepAlive.unref();
    response.once('close', () => {
      clearInterval(this.keepAlive);
      budget.give(this.unread);
      this.unread = 0;
    });
  }

  /** Sends one event; its data is JSON. */
  send(event: string, data: unknown): void {
    this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.keepAlive);
    this.response.end();
    const timer = setTimeout(() => this.response.destroy(), READ_TIMEOUT);
    timer.unref();
    this.response.once('close', () => clearTimeout(timer));
  }

  private write(text: string): void {
    const { response } = this;
    if (response.destroyed || response.closed || response.writableEnded) return;
    // An event may be as large as a packet: what counts is what lay there before it.
    if (this.unread > MAX_UNREAD || !this.budget.hasRoom(text.length)) {
      response.destroy();
      return;
    }
    this.budget.take(text.length);
    this.unread += text.length;
    response.write(text, () => this.wasRead(text.length));
  }

  private wasRead(length: number): void {
    if (this.unread === 0) return;
    this.unread -= length;
    this.budget.give(length);
  }
}

/** Bytes within JSON: as text where they are UTF-8, in base64 where not. */
export function bytesAsJson(bytes: Uint8Array): { text: string } | { base64: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? { text: buffer.toString() } : { base64: buffer.toString('base64') };
}
