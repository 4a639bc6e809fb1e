import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Does something when an answer is over; at once if its client is gone already. */
export function whenClosed(response: ServerResponse, act: () => void): void {
  if (response.destroyed) act();
  else response.once('close', act);
}

/** How long a client may take to read an answer, in milliseconds. */
const READ_TIMEOUT = 60_000;

/** Ends the connection of a client that does not read its answer in time. */
export function cutOffSlow(response: ServerResponse): void {
  const timer = setTimeout(() => response.destroy(), READ_TIMEOUT);
  timer.unref();
  whenClosed(response, () => clearTimeout(timer));
}

/** How many answers of one connection may be open at once by default. */
const MOST_AT_ONCE = 100;

/**
 * Ends answers when their connection ends. Node tells only the answer that is
 * being written. If several requests came at once, the answers that wait behind it
 * would stay open for ever, with everything that they hold.
 *
 * Node also begins every request that has arrived, and a request in memory is a
 * hundred times as large as on the wire. So a connection with too many open
 * answers is ended.
 */
export class Connections {
  private readonly waiting = new WeakMap<Socket, Set<ServerResponse>>();

  /** @param most how many answers of one connection may be open at once. */
  constructor(private readonly most = MOST_AT_ONCE) {}

  /** @returns false if the connection is over already, or is ended because it has too many open answers. */
  watch({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (response.closed || socket.destroyed) return false;
    const answers = this.waiting.get(socket) ?? this.answersOf(socket);
    if (answers.size >= this.most) {
      socket.destroy();
      return false;
    }
    answers.add(response);
    response.once('close', () => answers.delete(response));
    return true;
  }

  private answersOf(socket: Socket): Set<ServerResponse> {
    const answers = new Set<ServerResponse>();
    this.waiting.set(socket, answers);
    socket.once('close', () => {
      for (const response of answers) {
        response.destroy();
        response.emit('close');
      }
    });
    return answers;
  }
}
