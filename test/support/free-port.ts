import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/**
 * Ports below those that the system hands out by itself, for each of Jest's
 * workers its own. A test's job server that crashes and comes back needs its
 * port once more: meanwhile nobody else, a test beside it least of all, may get it.
 */
const FIRST = 20_000;
const EACH = 1_000;

let next = Math.floor(Math.random() * EACH);

/** A TCP port of the loopback interface that nobody listens on now, and that is handed out once. */
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

/** True when somebody accepts connections on the loopback port. */
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
