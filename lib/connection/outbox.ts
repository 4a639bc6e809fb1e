import { Turns } from './turns.js';

/** A connection that has something to send at the end of the turn. `sendGathered` must not throw. */
export interface Sender {
  sendGathered(): void;
}

/** The size of the buffers in which packets gather: most of what a connection sends in one turn fits into one. */
export const SEGMENT_BYTES = 16 * 1024;

/**
 * How many buffers are kept for later use, 16 MiB in total: one for each connection that sends in a turn. With fewer, the
 * missing ones are allocated anew each turn, and the garbage collector takes a quarter of the time (measured with 64
 * buffers for 128 connections).
 */
const MAX_FREE_SEGMENTS = 1_024;

/** How many senders may send in any turn, and in one step of a later turn. */
const SENDERS_A_STEP = 64;

/**
 * The connections of one owner that have something to send. All of them wait
 * for the end of the event loop's turn behind one `setImmediate`, and share one
 * pool of buffers in which their packets gather. Where there are very many of
 * them, the rest sends in later turns, since a write takes some microseconds.
 */
export class Outbox {
  private senders: Sender[] = [];
  private readonly free: Buffer[] = [];

  constructor(private readonly turns = new Turns()) {}

  /** Lets a sender send at the end of this turn. */
  add(sender: Sender): void {
    if (this.senders.push(sender) === 1) setImmediate(this.sendAll);
  }

  /** A buffer of {@link SEGMENT_BYTES} to gather packets in. */
  takeSegment(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES);
  }

  /** Puts a buffer that nobody reads any more back into the pool. */
  giveBack(segment: Buffer): void {
    if (this.free.length < MAX_FREE_SEGMENTS) this.free.push(segment);
  }

  private readonly sendAll = (): void => {
    const { senders } = this;
    this.senders = [];
    let sent = 0;
    const sendSome = (): boolean => {
      const end = Math.min(sent + SENDERS_A_STEP, senders.length);
      while (sent < end) senders[sent++]!.sendGathered();
      return sent < senders.length;
    };
    while (sendSome()) {
      if (!this.turns.isOver) continue;
      this.turns.run(sendSome);
      return;
    }
  };
}
