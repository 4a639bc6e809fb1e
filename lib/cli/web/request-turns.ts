import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** How many requests may begin in one turn of the event loop before nothing more is read in it. */
const MOST_A_TURN = 1_000;

/**
 * Bounds how many requests begin in one turn of the event loop.
 *
 * Node reads 64 KiB of each connection, and begins all requests in there: up to
 * two thousand of a kilobyte each. It frees those of a connection that was ended
 * only after it has read from all the others. Here the others are read in turns
 * to come, once so many have begun: between turns the ended ones are freed, and
 * all else that the process does goes on.
 */
export function limitTurns(server: Server): void {
  const sockets = new Set<Socket>();
  let begun = 0;
  let waiting: readonly Socket[] = [];
  const endTurn = (): void => {
    begun = 0;
    for (const socket of waiting) socket.resume();
    waiting = [];
  };
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.prependListener('request', ({ socket }) => {
    if (begun === 0) setImmediate(endTurn);
    if (++begun !== MOST_A_TURN) return;
    // One that is paused waits for the reader of its body, and goes on when Node says so.
    waiting = [...sockets].filter((other) => other !== socket && !other.isPaused());
    for (const other of waiting) other.pause();
  });
}
