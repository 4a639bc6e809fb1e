import { Turns } from './turns.js';

/** Who has something to send at the end of the turn. Must not throw. */
export interface Sender {
  sendGathered(): void;
}

/** How large the buffers are in which packets gather: what a connection mostly says in one turn fits into one. */
export const SEGMENT_BYTES = 16 * 1024;

/**
 * So many buffers are kept to be used again, up to 16 MiB: one for each connection that speaks in a turn. Where they are
 * fewer than those, the rest is made anew each turn, and the garbage collector takes a quarter of the time (measured
 * with 64 buffers for 128 connections).
 */
const MAX_FREE_SEGMENTS = 1_024;

/** So many of those that have something to send are let send in any turn, and in one step of a later one. */
const SENDERS_A_STEP = 64;

/**
 * The connections of one owner that have something to send: all of them wait
 * for the end of the event loop's turn behind one `setImmediate`, and take the
 * buffers in which their packets gather from one pool. Where there are very
 * many the rest of them sends in later turns: a write costs some microseconds.
 */
export class Outbox {
  private senders: Sender[] = [];
  private readonly free: Buffer[] = [];

  constructor(private readonly turns = new Turns()) {}

  /** Has a sender send at the end of this turn. */
  add(sender: Sender): void {
    if (this.senders.push(sender) === 1) setImmediate(this.sendAll);
  }

  /** A buffer of {@link SEGMENT_BYTES} to gather packets in. */
  takeSegment(): Buffer {
    return this.free.pop() ?? Buffer.allocUnsafeSlow(SEGMENT_BYTES);
  }

  /** A buffer that nobody will read any more. */
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
