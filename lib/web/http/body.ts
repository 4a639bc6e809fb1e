import type { IncomingMessage } from 'node:http';
import { invalid, Problem } from '../problem.js';
import type { Budget } from './budget.js';

/** A request as a framework leaves it that has read its body already. */
type ReadRequest = IncomingMessage & { body?: unknown; rawBody?: unknown };

/** How a body may be. */
export interface BodyLimits {
  /** The most bytes. */
  readonly maxBytes: number;
  /** How long it may take to arrive, in milliseconds. */
  readonly timeout: number;
  readonly budget: Budget;
}

/**
 * A request's body, byte by byte; from the framework that has read it, where one has.
 *
 * @throws Problem when it is too long, too slow, or its bytes are lost.
 */
export function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const { body, rawBody } = request as ReadRequest;
  if (Buffer.isBuffer(rawBody)) return Promise.resolve(rawBody);
  if (body !== undefined && (request.readableEnded || Buffer.isBuffer(body)))
    return Promise.resolve(bytesOf(request, body));
  return new BodyReader(request, limits).read();
}

/** A body of JSON. @throws Problem */
export async function readJson(request: IncomingMessage, limits: BodyLimits): Promise<unknown> {
  const { body } = request as ReadRequest;
  if (request.readableEnded && typeof body === 'object' && body !== null && !Buffer.isBuffer(body)) return body;
  const bytes = await readBody(request, limits);
  if (bytes.length === 0) return {};
  try {
    return JSON.parse(bytes.toString());
  } catch {
    throw invalid('the body', 'JSON');
  }
}

function bytesOf({ headers }: IncomingMessage, body: unknown): Buffer {
  if (Buffer.isBuffer(body)) return body;
  if (typeof body === 'string') return Buffer.from(body);
  if (headers['content-type']?.includes('json')) return Buffer.from(JSON.stringify(body));
  throw new Problem(
    415,
    'body-was-parsed',
    'The app has parsed this body, and its bytes are lost: send Content-Type: application/octet-stream, or create the app with rawBody: true.',
  );
}

class BodyReader {
  private readonly chunks: Buffer[] = [];
  private size = 0;

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
      budget.give(this.size);
    }
  }

  private collect(): Promise<void> {
    const { request } = this;
    return new Promise((resolve, reject) => {
      const declared = Number(request.headers['content-length'] ?? 0);
      if (declared > this.limits.maxBytes) return reject(this.tooLarge());
      request.on('data', (chunk: Buffer) => {
        try {
          this.add(chunk);
        } catch (error) {
          request.removeAllListeners('data').pause();
          reject(error as Error);
        }
      });
      request.once('end', resolve);
      request.once('error', reject);
      request.once('close', () => reject(new Problem(400, 'body-incomplete', 'The body did not come to its end.')));
    });
  }

  private add(chunk: Buffer): void {
    if (this.size + chunk.length > this.limits.maxBytes) throw this.tooLarge();
    this.limits.budget.take(chunk.length);
    this.size += chunk.length;
    this.chunks.push(chunk);
  }

  private tooLarge(): Problem {
    return closing(413, 'body-too-large', `A body may have ${this.limits.maxBytes} bytes here (maxPacketBytes).`);
  }
}

/** A problem after which the rest of the body is not read: the connection is over. */
function closing(status: number, code: string, detail: string): Problem {
  return new Problem(status, code, detail, { Connection: 'close' });
}
