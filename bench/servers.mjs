import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** Debian's C gearmand; plain `gearmand` may be Perl's. */
const GEARMAND = process.env.GEARMAND ?? '/usr/sbin/gearmand';
const OURS = fileURLToPath(new URL('job-server.mjs', import.meta.url));

/** The job servers compared, each a process of its own: how one is started on a port. */
export const SERVERS = {
  gearmand: (port) => [GEARMAND, [`--port=${port}`, '--listen=127.0.0.1', '--log-file=stderr', '--threads=4']],
  ours: (port) => [process.execPath, [OURS, String(port)]],
};

/** Whether C gearmand is there to compare with. */
export const hasGearmand = existsSync(GEARMAND);

const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts a job server on a free port and waits until it accepts connections. */
export async function startServer(name) {
  const port = await freePort();
  const [command, args] = SERVERS[name](port);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  const over = once(child, 'exit');
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${name} ended with ${child.exitCode} at its start`);
    await sleep(10);
  }
  return {
    port,
    pid: child.pid,
    async stop() {
      child.kill('SIGKILL');
      await over;
      running.delete(child);
    },
  };
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (isOpen) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}
