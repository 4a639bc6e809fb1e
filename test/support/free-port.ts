import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Ports below those that the system gives to programs by itself, different ones for
 * each of Jest's workers. A test's job server that crashes and comes back needs its
 * port again; in between nobody else, and above all no other test, may get it.
 */
const FIRST = 20_000;
const EACH = 1_000;

let next = Math.floor(Math.random() * EACH);

/** A TCP port of the loopback interface on which nobody listens now; no port is returned twice. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + EACH * (Number(process.env['JEST_WORKER_ID'] ?? 0) % 10) + (next++ % EACH);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}

/** Whether somebody accepts connections on a loopback port. */
export function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const tell = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', tell(true)).once('error', tell(false));
  });
}
