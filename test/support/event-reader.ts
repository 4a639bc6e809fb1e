import { atEnd } from './cleanup.js';

/** One event of a stream, its data parsed. */
export interface ReadEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: any; // oxlint-disable-line typescript/no-explicit-any -- what JSON is, the tests say
}

/** Reads server-sent events one by one, as they come. */
export class EventReader {
  private readonly gone = new AbortController();
  private readonly blocks: AsyncGenerator<string, void>;
  /** How many characters were read. */
  size = 0;

  private constructor(response: Response, gone: AbortController) {
    this.gone = gone;
    this.blocks = this.split(response);
  }

  /** @param body to post; without it, the request is a GET. */
  static async open(url: string, headers: Record<string, string> = {}, body?: string): Promise<EventReader> {
    const gone = new AbortController();
    const init = { headers, signal: gone.signal };
    const response = await fetch(url, body === undefined ? init : { ...init, method: 'POST', body });
    if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
    const reader = new EventReader(response, gone);
    atEnd(async () => reader.close());
    return reader;
  }

  /** The next event; undefined when the stream is over. */
  async next(): Promise<ReadEvent | undefined> {
    for (;;) {
      const { value, done } = await this.blocks.next();
      if (done) return undefined;
      const fields = new Map(value.split('\n').map((line) => line.split(/: (.*)/s, 2) as [string, string]));
      const event = fields.get('event');
      if (event !== undefined) return { event, id: fields.get('id'), data: JSON.parse(fields.get('data')!) };
    }
  }

  /** The next event of a name; others are skipped. */
  async nextOf(name: string, isMeant: (data: ReadEvent['data']) => boolean = () => true): Promise<ReadEvent> {
    for (;;) {
      const found = await this.next();
      if (!found) throw new Error(`the stream ended without ${name}`);
      if (found.event === name && isMeant(found.data)) return found;
    }
  }

  close(): void {
    this.gone.abort();
  }

  private async *split(response: Response): AsyncGenerator<string, void> {
    const decoder = new TextDecoder();
    let rest = '';
    try {
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        this.size += chunk.length;
        const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
        rest = blocks.pop()!;
        yield* blocks;
      }
    } catch (error) {
      if (!this.gone.signal.aborted) throw error;
    }
  }
}
