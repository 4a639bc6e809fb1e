import type { Connection } from '../../connection/index.js';
import type { Argument, PacketType } from '../../protocol/index.js';

/** Where an answer goes. */
export interface Replies {
  send(type: PacketType, args?: readonly Argument[]): void;
  /** Sends the answer to an admin word. */
  sendText(text: string): void;
}

/**
 * What a session says, in the order it was asked.
 *
 * Clients match JOB_CREATED to their submissions by order (libgearman counts),
 * so while an answer waits for the disk, everything behind it waits too.
 */
export class ReplyOrder implements Replies {
  /** Answers that are not complete yet, and what was said behind each. */
  private readonly places: ReplyPlace[] = [];

  constructor(private readonly connection: Connection) {}

  /** True while an answer is not complete yet. */
  get isPending(): boolean {
    return this.places.length > 0;
  }

  send(type: PacketType, args?: readonly Argument[]): void {
    const last = this.places[this.places.length - 1];
    if (last) last.after.push(() => this.connection.send(type, args));
    else this.connection.send(type, args);
  }

  sendText(text: string): void {
    const last = this.places[this.places.length - 1];
    if (last) last.after.push(() => this.connection.sendText(text));
    else this.connection.sendText(text);
  }

  /** Keeps the next place for an answer that comes later, or in parts. */
  reserve(): ReplyPlace {
    const place = new ReplyPlace(this.connection, this.places.length === 0, () => this.advance());
    this.places.push(place);
    return place;
  }

  /** Sends what the finished places at the front held back. */
  private advance(): void {
    while (this.places[0]?.isFinished) {
      for (const reply of this.places.shift()!.after) reply();
      this.places[0]?.release();
    }
  }
}

/** A place in the order of replies. Whoever reserves it must {@link finish} it. */
export class ReplyPlace implements Replies {
  /** What was said meanwhile and belongs behind this answer. */
  readonly after: (() => void)[] = [];
  isFinished = false;
  private held: (() => void)[] = [];

  constructor(
    private readonly connection: Connection,
    private isFirst: boolean,
    private readonly advance: () => void,
  ) {}

  send(type: PacketType, args?: readonly Argument[]): void {
    if (this.isFirst) this.connection.send(type, args);
    else this.held.push(() => this.connection.send(type, args));
  }

  sendText(text: string): void {
    if (this.isFirst) this.connection.sendText(text);
    else this.held.push(() => this.connection.sendText(text));
  }

  /** The answer is complete: what waited behind it may go. */
  finish(): void {
    this.isFinished = true;
    this.advance();
  }

  /** Its turn has come: sends what it held back. */
  release(): void {
    this.isFirst = true;
    for (const reply of this.held) reply();
    this.held = [];
  }
}
