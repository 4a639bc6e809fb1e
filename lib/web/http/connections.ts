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
 * Node also begins every request that has arrived. Here the requests of one
 * connection are served one after the other. A request in memory is a hundred
 * times as large as on the wire, so a connection with too many of them is ended.
 */
export class Connections {
  private readonly waiting = new WeakMap<Socket, Map<ServerResponse, () => void>>();

  /** @param most how many answers of one connection may be open at once. */
  constructor(private readonly most = MOST_AT_ONCE) {}

  /**
   * Waits until the answers before this one are over, as they are sent in that
   * order anyway: a connection is given the time and the memory of one request.
   *
   * @returns false if the connection is over by then, or is ended because it has too many open answers.
   */
  async turn({ socket }: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (response.closed || socket.destroyed) return false;
    const answers = this.waiting.get(socket) ?? this.answersOf(socket);
    if (answers.size >= this.most) {
      socket.destroy();
      return false;
    }
    return new Promise((resolve) => {
      const begin = (): void => resolve(!socket.destroyed);
      answers.set(response, begin);
      response.once('close', () => {
        answers.delete(response);
        resolve(false);
        answers.values().next().value?.();
      });
      if (answers.size === 1) begin();
    });
  }

  private answersOf(socket: Socket): Map<ServerResponse, () => void> {
    const answers = new Map<ServerResponse, () => void>();
    this.waiting.set(socket, answers);
    socket.once('close', () => {
      for (const response of answers.keys()) {
        response.destroy();
        response.emit('close');
      }
    });
    return answers;
  }
}
