import { encodedBytes, type Argument, type PacketType } from '../../protocol/index.js';
import type { Connection } from '../../connection/index.js';

/** Where an answer goes. */
export interface Replies {
  send(type: PacketType, args?: readonly Argument[]): void;
  /** Sends the answer to an admin word. */
  sendText(text: AdminText): void;
}

/** The answer to an admin word: a byte string, or its bytes where there are many. */
export type AdminText = string | Buffer;

/** A packet, or the answer to an admin word. */
type Reply = { readonly type: PacketType; readonly args: readonly Argument[] } | AdminText;

/**
 * Sends a session's answers in the order of its requests.
 *
 * Clients match JOB_CREATED to their submissions by order (libgearman counts),
 * so while an answer waits for the disk, everything behind it waits too. What
 * waits counts as unread by the peer: see `maxSendBufferBytes`.
 */
export class ReplyOrder implements Replies {
  /** The answers that are not complete yet, from the first asked for to the last. */
  private first: ReplyPlace | undefined;
  private last: ReplyPlace | undefined;
  private whenIdle: (() => void) | undefined;

  constructor(private readonly connection: Connection) {}

  /** True while an answer is not complete yet. */
  get isPending(): boolean {
    return this.first !== undefined;
  }

  send(type: PacketType, args: readonly Argument[] = NO_ARGUMENTS): void {
    if (this.last) this.keep(this.last.afterwards, { type, args });
    else this.connection.send(type, args);
  }

  sendText(text: AdminText): void {
    if (this.last) this.keep(this.last.afterwards, text);
    else this.connection.sendText(text);
  }

  /** Keeps the next place for an answer that comes later, or in parts. */
  reserve(): ReplyPlace {
    const place = new ReplyPlace(this);
    if (this.last) this.last.next = place;
    else this.first = place;
    this.last = place;
    return place;
  }

  /** Calls `act` once every answer is complete, at once if they are. */
  onceIdle(act: () => void): void {
    if (this.isPending) this.whenIdle = act;
    else act();
  }

  /** Sends something for a place at once if the place is the first, and keeps it if not. */
  sendFrom(place: ReplyPlace, type: PacketType, args: readonly Argument[]): void {
    if (place === this.first) this.connection.send(type, args);
    else this.keep((place.held ??= []), { type, args });
  }

  /** As {@link sendFrom}. */
  sendTextFrom(place: ReplyPlace, text: AdminText): void {
    if (place === this.first) this.connection.sendText(text);
    else this.keep((place.held ??= []), text);
  }

  /** A place's answer is complete: sends what the complete places at the front held back. */
  advance(): void {
    while (this.first?.isFinished) {
      const { first } = this;
      const { after, next } = first;
      // Otherwise a place in V8's old generation would keep alive all that came after it.
      first.next = undefined;
      if (after) this.release(after);
      this.first = next;
      if (!next) this.last = undefined;
      else if (next.held) this.release(next.held);
    }
    if (!this.isPending) this.whenIdle?.();
  }

  private keep(replies: Reply[], reply: Reply): void {
    replies.push(reply);
    this.connection.hold(bytesOf(reply));
  }

  private release(replies: Reply[]): void {
    for (const reply of replies.splice(0)) {
      this.connection.hold(-bytesOf(reply));
      if (isText(reply)) this.connection.sendText(reply);
      else this.connection.send(reply.type, reply.args);
    }
  }
}

const NO_ARGUMENTS: readonly Argument[] = [];

function bytesOf(reply: Reply): number {
  return isText(reply) ? reply.length : encodedBytes(reply.args);
}

function isText(reply: Reply): reply is AdminText {
  return typeof reply === 'string' || Buffer.isBuffer(reply);
}

/** A place in the order of replies. Whoever reserves it must {@link finish} it. */
export class ReplyPlace implements Replies {
  /** What was said for this place before its turn came; mostly nothing. */
  held: Reply[] | undefined;
  /** What was said meanwhile and belongs behind this answer; mostly nothing. */
  after: Reply[] | undefined;
  next: ReplyPlace | undefined;
  isFinished = false;

  constructor(private readonly order: ReplyOrder) {}

  send(type: PacketType, args: readonly Argument[] = NO_ARGUMENTS): void {
    this.order.sendFrom(this, type, args);
  }

  sendText(text: AdminText): void {
    this.order.sendTextFrom(this, text);
  }

  /** Where what belongs behind this answer is kept. */
  get afterwards(): Reply[] {
    return (this.after ??= []);
  }

  /** The answer is complete: what waited behind it may go. */
  finish(): void {
    this.isFinished = true;
    this.order.advance();
  }
}
