import type { ServerResponse } from 'node:http';
import { isUtf8 } from 'node:buffer';

/** How much an event stream may leave unread before it is ended, in bytes. */
const MAX_UNREAD = 1_048_576;

/** How often a comment is sent, so that nobody between takes the stream for dead, in milliseconds. */
const KEEP_ALIVE = 15_000;

/** Server-sent events as an answer. Who does not read them is cut off. */
export class EventStream {
  private readonly keepAlive: NodeJS.Timeout;

  constructor(private readonly response: ServerResponse) {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache, no-transform',
      'X-Accel-Buffering': 'no',
    });
    response.write('retry: 2000\n\n');
    this.keepAlive = setInterval(() => this.write(': \n\n'), KEEP_ALIVE);
    this.keepAlive.unref();
    response.once('close', () => clearInterval(this.keepAlive));
  }

  /** Sends one event; its data is JSON. */
  send(event: string, data: unknown): void {
    this.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  }

  end(): void {
    clearInterval(this.keepAlive);
    this.response.end();
  }

  private write(text: string): void {
    if (this.response.destroyed || this.response.writableEnded) return;
    this.response.write(text);
    if (this.response.writableLength > MAX_UNREAD && !text.startsWith('event: complete')) this.response.destroy();
  }
}

/** Bytes within JSON: as text where they are UTF-8, in base64 where not. */
export function bytesAsJson(bytes: Uint8Array): { text: string } | { base64: string } {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return isUtf8(buffer) ? { text: buffer.toString() } : { base64: buffer.toString('base64') };
}
