import type { IncomingMessage } from 'node:http';

/** Where a request comes from; `-` if its socket is closed, or has no address. */
export function peerAddress({ socket }: IncomingMessage): string {
  return socket.remoteAddress ?? '-';
}
