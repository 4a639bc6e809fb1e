import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { invalid, Problem } from '../problem.js';
import type { Budget } from './budget.js';

/** A request whose body a framework may have read already. */
type ReadRequest = IncomingMessage & { body?: unknown; rawBody?: unknown };

/** What a body may be. */
export interface BodyLimits {
  /** How many bytes it may have. */
  readonly maxBytes: number;
  /** How long it may take to arrive, in milliseconds. */
  readonly timeout: number;
  readonly budget: Budget;
}

/**
 * A request's body as bytes. If a framework has read it already, they come from there.
 *
 * @throws Problem if it is too long or too slow, or if its exact bytes are lost.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { body, rawBody } = request as ReadRequest;
  const isRead = Buffer.isBuffer(rawBody) || Buffer.isBuffer(body) || request.readableEnded;
  if (!isRead) return new BodyReader(request, limits).read();
  const bytes = Buffer.isBuffer(rawBody) ? rawBody : bytesOf(request, body);
  if (bytes.length > limits.maxBytes) throw tooLarge(limits);
  return bytes;
}

/** The largest body of JSON, except for a list of jobs, in bytes: parsing it blocks the event loop. */
const MAX_JSON = 1_048_576;

/** A body of JSON. @throws Problem */
export async function readJson(request: IncomingMessage, limits: BodyLimits, maxBytes = MAX_JSON): Promise<unknown> {
  const { body } = request as ReadRequest;
  if (request.readableEnded && typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) return body;
  const bytes = await readBody(request, { ...limits, maxBytes: Math.min(limits.maxBytes, maxBytes) });
  if (bytes.length === 0) return {};
  // Decoding would turn every byte that is no UTF-8 into U+FFFD.
  if (!isUtf8(bytes)) throw invalid('the body', 'JSON in UTF-8');
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw invalid('the body', 'JSON');
  }
}

/** The bytes of a body from what a framework has made of it. */
function bytesOf({ headers }: IncomingMessage, body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (body !== undefined && headers['content-type']?.includes('json')) return Buffer.from(JSON.stringify(body));
  throw new Problem(
    415,
    'body-was-parsed',
    'The app has parsed this body, and its bytes are lost: send Content-Type: application/octet-stream, or create the app with rawBody: true.',
  );
}

class BodyReader {
  private readonly chunks: Buffer[] = [];
  private size = 0;
  private refuse: (error: Error) => void = () => undefined;

  constructor(
    private readonly request: IncomingMessage,
    private readonly limits: BodyLimits,
  ) {}

  async read(): Promise<Buffer> {
    const { timeout, budget } = this.limits;
    let timer: NodeJS.Timeout | undefined;
    const tooSlow = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(closing(408, 'body-too-slow', `The body took longer than ${timeout} ms.`)),
        timeout,
      );
    });
    try {
      await Promise.race([this.collect(), tooSlow]);
      return Buffer.concat(this.chunks, this.size);
    } finally {
      clearTimeout(timer);
      // The rest of a body that took too long still comes: it must borrow no room, because nobody would give that back.
      this.request.off('data', this.hear);
      budget.giveBack(this.size);
    }
  }

  private readonly hear = (chunk: Buffer): void => {
    try {
      this.add(chunk);
    } catch (error) {
      this.request.off('data', this.hear).pause();
      this.refuse(error as Error);
    }
  };

  private collect(): Promise<void> {
    const { request } = this;
    return new Promise((resolve, reject) => {
      const declared = Number(request.headers['content-length'] ?? 0);
      if (declared > this.limits.maxBytes) return reject(tooLarge(this.limits));
      // The client was gone before anybody listened for that.
      if (request.destroyed) return reject(incomplete());
      this.refuse = reject;
      request.on('data', this.hear);
      request.once('end', resolve);
      request.once('error', reject);
      request.once('close', () => reject(incomplete()));
    });
  }

  private add(chunk: Buffer): void {
    if (this.size + chunk.length > this.limits.maxBytes) throw tooLarge(this.limits);
    this.limits.budget.borrow(chunk.length, { Connection: 'close' });
    this.size += chunk.length;
    this.chunks.push(chunk);
  }
}

function tooLarge({ maxBytes }: BodyLimits): Problem {
  return closing(413, 'body-too-large', `A body may have ${maxBytes} bytes here: a workload maxPacketBytes.`);
}

function incomplete(): Problem {
  return new Problem(400, 'body-incomplete', 'The connection ended before the whole body had come.');
}

/** A problem that ends the connection, because the rest of the body is not read. */
function closing(status: number, code: string, detail: string): Problem {
  return new Problem(status, code, detail, { Connection: 'close' });
}
