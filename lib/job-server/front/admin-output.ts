import type { Connection } from '../../connection/index.js';
import { refused } from './admin-answers.js';
import type { ReplyOrder, ReplyPlace } from './reply-order.js';

/** What an admin word answers: a text, or a list that may be long, in lines or parts of them; some of it known only later. */
export type AdminAnswer = string | Iterable<string> | Promise<string> | AsyncIterable<string>;

/** After how much of a list the other peers have their turn at the latest, in characters. */
const TURN_LENGTH = 64 * 1024;

/** How much of a list is made before it is asked whether the turn is over, in characters and in lines. */
const BATCH_LENGTH = 16 * 1024;
const BATCH_LINES = 256;

/** How much of a list may wait for its reader before the rest is made, in bytes. */
const HIGH_WATER_BYTES = 1024 * 1024;

/** Up to this size a list leaves in one go, in bytes. */
const MAX_WHOLE_BYTES = 16 * 1024 * 1024;

/**
 * Sends the answers to admin words. A long list is made piece by piece, so that
 * 100,000 jobs in `show jobs` hold up nobody else; meanwhile its connection is
 * not read from.
 *
 * It is sent once it is whole, since `gearadmin` takes five milliseconds
 * without a byte for the end of the answer. Only what is very long is sent in
 * pieces as well, no faster than its reader reads.
 */
export class AdminOutput {
  private isStopped = false;
  private readerCaughtUp: (() => void) | undefined;

  constructor(
    private readonly connection: Connection,
    private readonly replies: ReplyOrder,
  ) {}

  write(answer: AdminAnswer): void {
    if (typeof answer === 'string') {
      this.replies.sendText(answer);
      return;
    }
    this.connection.pause();
    const place = this.replies.reserve();
    this.sendAll(answer, place)
      .then(() => {
        // First reads what the peer has said meanwhile: only then is everything answered.
        this.connection.resume();
        place.finish();
      })
      .catch((error: Error) => this.connection.destroy(error));
  }

  /** The reader caught up. */
  drained(): void {
    this.readerCaughtUp?.();
    this.readerCaughtUp = undefined;
  }

  /** The connection is over. */
  stop(): void {
    this.isStopped = true;
    this.drained();
  }

  private async sendAll(answer: Exclude<AdminAnswer, string>, place: ReplyPlace): Promise<void> {
    if (answer instanceof Promise) {
      place.sendText(await answer.catch(failed));
      return;
    }
    let unsent: Buffer[] = [];
    let unsentBytes = 0;
    let untilTurn = TURN_LENGTH;
    let maxUnsentBytes = Math.min(MAX_WHOLE_BYTES, this.connection.maxSendBufferBytes / 2);
    for await (const batch of Symbol.iterator in answer ? batches(answer) : answer) {
      if (this.isStopped) return;
      // Bytes of each batch: making them of one long string would hold up everybody.
      unsent.push(Buffer.from(batch, 'latin1'));
      unsentBytes += batch.length;
      if (unsentBytes >= maxUnsentBytes) {
        place.sendText(Buffer.concat(unsent));
        unsent = [];
        unsentBytes = maxUnsentBytes = 0;
      }
      untilTurn -= batch.length;
      if (this.connection.bufferedBytes >= HIGH_WATER_BYTES) {
        await new Promise<void>((resolve) => (this.readerCaughtUp = resolve));
      } else if (untilTurn <= 0 || this.connection.turns.isOver) {
        await this.connection.turns.next();
        untilTurn = TURN_LENGTH;
      }
    }
    place.sendText(Buffer.concat(unsent));
  }
}

/** Lines joined to texts of a size worth writing. */
export function* batches(lines: Iterable<string>): Iterable<string> {
  let batch = '';
  let count = 0;
  for (const line of lines) {
    batch += line;
    if (++count < BATCH_LINES && batch.length < BATCH_LENGTH) continue;
    yield batch;
    batch = '';
    count = 0;
  }
  yield batch;
}

/** The answer to a word that failed, as where the storage cannot be reached. */
function failed(error: Error & { readonly code?: unknown }): string {
  const { code = 'FAILED' } = error;
  return refused(String(code).replace(/^GEARMAN_/, ''), error);
}
