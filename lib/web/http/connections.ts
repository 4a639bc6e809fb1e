import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** Does something when an answer is over; at once if its client is gone already. */
export function whenClosed(response: ServerResponse, act: () => void): void {
  if (response.destroyed) act();
  else response.once('close', act);
}

/**
 * Ends answers when their connection ends. Node tells only the answer that is
 * being written. If several requests came at once, the answers that wait behind it
 * would stay open for ever, with everything that they hold.
 */
export class Connections {
  private readonly waiting = new WeakMap<Socket, Set<ServerResponse>>();

  /** @returns false if the connection is over already. */
  watch({ socket }: IncomingMessage, response: ServerResponse): boolean {
    if (response.closed || socket.closed) return false;
    const answers = this.waiting.get(socket) ?? this.answersOf(socket);
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
