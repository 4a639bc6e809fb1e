import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** A TCP port of the loopback interface that nobody listens on now. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** How many jobs the job server has, waiting and running. */
export async function jobsLeft(port) {
  const socket = connect(port, '127.0.0.1');
  socket.write('status\n');
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.endsWith('.\n')) break;
  }
  return text.split('\n').reduce((sum, line) => sum + Number(line.split('\t')[1] ?? 0), 0);
}
