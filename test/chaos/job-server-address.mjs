import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';

/*
 * The job servers of a run listen on unix sockets in the run's folder. While a job
 * server is dead its loopback port would be free, and the system might give it to
 * another program: another job server there would accept jobs that nobody of this
 * run ever hears of again.
 */

/** The path of the unix socket that a job server of a run listens on. */
export function socketOf(folder, number) {
  return join(folder, `job-server-${number}.sock`);
}

/** The path of the socket on which the same job server answers HTTP. */
export function httpSocketOf(socket) {
  return `${socket}.http`;
}

/** The file in which the same job server writes what it did and said, one line each: `TIME PID assigned|completed|failed|requeued HANDLE`, `TIME PID LEVEL MESSAGE`. */
export function logOf(socket) {
  return `${socket}.log`;
}

/** Ports that the system never gives to a program that asks for any port, because it begins at 32768. */
const [FIRST_PORT, LAST_PORT] = [15_000, 30_000];

/**
 * A TCP port of the loopback interface on which nobody listens now, for programs that
 * need a port. The system gives it to nobody else while its program is dead.
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

/** What the job server at a unix socket tells about its functions, one line each. */
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
