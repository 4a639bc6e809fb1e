import type { Connection } from '../../connection/index.js';
import type { ReplyOrder, ReplyPlace } from './reply-order.js';

/** How much of a list is written before the others have their turn, in characters. */
const BATCH_LENGTH = 64 * 1024;

/** How much of a list may wait for its reader before the rest is made, in bytes. */
const HIGH_WATER_BYTES = 1024 * 1024;

interface Listing {
  readonly lines: Iterator<string>;
  readonly place: ReplyPlace;
}

/**
 * Sends the answers to admin words. A long list is made and sent piece by
 * piece, so that 100,000 jobs in `show jobs` hold up nobody else, and no
 * faster than its reader reads; meanwhile its connection is not read from.
 */
export class AdminOutput {
  private listing: Listing | undefined;
  private isWaitingForReader = false;

  constructor(
    private readonly connection: Connection,
    private readonly replies: ReplyOrder,
  ) {}

  /** Sends an answer: a text, or the lines of a list. */
  write(answer: string | Iterable<string>): void {
    if (typeof answer === 'string') {
      this.replies.sendText(answer);
      return;
    }
    this.connection.pause();
    this.listing = { lines: answer[Symbol.iterator](), place: this.replies.reserve() };
    this.pump();
  }

  /** The reader caught up. */
  drained(): void {
    if (!this.isWaitingForReader) return;
    this.isWaitingForReader = false;
    this.pump();
  }

  /** The connection is over. */
  stop(): void {
    this.listing = undefined;
  }

  private readonly pump = (): void => {
    if (!this.listing) return;
    const { lines, place } = this.listing;
    let batch = '';
    let line = lines.next();
    while (!line.done) {
      batch += line.value;
      if (batch.length >= BATCH_LENGTH) break;
      line = lines.next();
    }
    place.sendText(batch);
    if (line.done) this.finish(place);
    else if (this.connection.bufferedBytes > HIGH_WATER_BYTES) this.isWaitingForReader = true;
    else setImmediate(this.pump);
  };

  private finish(place: ReplyPlace): void {
    this.listing = undefined;
    place.finish();
    this.connection.resume();
  }
}
