import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/*
 * Job servers of a run listen on unix sockets in its own folder. A port of the
 * loopback interface would be free while its job server is dead, and whoever
 * asks the system for any port meanwhile may be given it: another job server
 * there would accept jobs that nobody of this run ever hears of again.
 */

/** Where a job server of a run listens: the path of its unix socket. */
export function socketOf(folder, number) {
  return join(folder, `job-server-${number}.sock`);
}

/** A TCP port of the loopback interface that nobody listens on now, for those that only have ports. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** How many jobs the job server at a unix socket has, waiting and running. */
export async function jobsLeft(path) {
  const socket = connect(path);
  socket.write('status\n');
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.endsWith('.\n')) return text.split('\n').reduce((sum, line) => sum + Number(line.split('\t')[1] ?? 0), 0);
  }
  throw new Error(`the job server at ${path} closed the connection before it had answered`);
}
