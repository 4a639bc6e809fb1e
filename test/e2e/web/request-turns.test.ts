import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { limitTurns } from '../../../lib/cli/web/request-turns.js';
import { atEnd } from '../../support/cleanup.js';
import { requestText, statusesOf } from '../../support/raw-http.js';
import { until } from '../../support/until.js';

const GET = requestText('GET /', { Connection: 'keep-alive' });

async function start(listener: RequestListener): Promise<Server> {
  const server = createServer(listener);
  limitTurns(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

async function connected(server: Server): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

describe('limitTurns', () => {
  it('lets requests of many connections begin in several turns, and has all of them answered', async () => {
    let begun = 0;
    let most = 0;
    let accepted = 0;
    const server = await start((_request, response) => {
      if (begun++ === 0) setImmediate(() => (begun = 0));
      most = Math.max(most, begun);
      response.end();
    });
    server.on('connection', () => accepted++);
    const sockets = await Promise.all(Array.from({ length: 20 }, () => connected(server)));
    await until('all are read from', () => accepted === 20);
    const answers = sockets.map((socket) => {
      let text = '';
      socket.on('data', (part) => (text += part.toString('latin1')));
      return () => statusesOf(text).length;
    });
    for (const socket of sockets) socket.write(GET.repeat(300));
    await until('all are answered', () => answers.every((count) => count() === 300));
    // What one connection had sent is not parted.
    expect(most).toBeLessThan(1_000 + 300);
  });

  it('has no more read of a body that nobody reads', async () => {
    let unread: IncomingMessage | undefined;
    const server = await start((request, response) => {
      if (request.method === 'POST') unread = request;
      else response.end();
    });
    const poster = await connected(server);
    poster.write(requestText('POST /', {}, 'x'.repeat(10_000_000)));
    await until('it has begun to come', () => unread !== undefined && unread.readableLength > 0);
    const asker = await connected(server);
    let text = '';
    asker.on('data', (part) => (text += part.toString('latin1')));
    for (let round = 1; round <= 20; round++) {
      asker.write(GET.repeat(1_500));
      await until('it is answered', () => statusesOf(text).length === 1_500 * round);
    }
    expect(unread!.readableLength).toBeLessThan(500_000);
    unread!.resume();
    await until('all of it is read', () => unread!.complete);
  });
});
