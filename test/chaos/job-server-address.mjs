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

/** Where the same one answers HTTP. */
export function httpSocketOf(socket) {
  return `${socket}.http`;
}

/** Where the same one writes down what it did and said, a line each: `TIME PID assigned|completed|failed|requeued HANDLE`, `TIME PID LEVEL MESSAGE`. */
export function logOf(socket) {
  return `${socket}.log`;
}

/** The ports that the system gives nobody who asks for any: it begins at 32768. */
const [FIRST_PORT, LAST_PORT] = [15_000, 30_000];

/**
 * A TCP port of the loopback interface that nobody listens on now, for those that
 * only have ports. Nobody is given it by the system while who has it is dead.
 */
export async function freePort() {
  for (;;) {
    const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT));
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await new Promise((resolve) => {
      server.once('listening', () => resolve(true)).once('error', () => resolve(false));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** How long a job server may take to answer, in milliseconds. */
const ANSWER_PATIENCE = 30_000;

/** How many jobs the job server at a unix socket has, waiting and running. */
export async function jobsLeft(path) {
  return (await statusOf(path)).reduce((sum, line) => sum + Number(line.split('\t')[1]), 0);
}

/** What the job server at a unix socket says of its functions, a line each. */
export async function statusOf(path) {
  const socket = connect(path);
  socket.setTimeout(ANSWER_PATIENCE, () => socket.destroy(new Error(`the job server at ${path} does not answer`)));
  socket.write('status\n');
  let text = '';
  for await (const chunk of socket) {
    text += chunk;
    if (text.endsWith('.\n')) return text.split('\n').filter((line) => line.includes('\t'));
  }
  throw new Error(`the job server at ${path} closed the connection before it had answered`);
}
