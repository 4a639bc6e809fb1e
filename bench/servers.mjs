import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compile } from './compile.mjs';

/** Debian's C gearmand; plain `gearmand` may be Perl's. */
const GEARMAND = process.env.GEARMAND ?? '/usr/sbin/gearmand';
const REDIS = process.env.REDIS ?? '/usr/bin/redis-server';
const OURS = fileURLToPath(new URL('job-server.mjs', import.meta.url));
const NODE_FLOOR = fileURLToPath(new URL('floors/floor.mjs', import.meta.url));
const C_FLOOR = new URL('floors/floor.c', import.meta.url);

/**
 * The job servers that are compared: for each the programs it consists of, which are
 * started one after the other, the job server last. Those that store jobs use a
 * folder, or the database of a URL.
 */
export const SERVERS = {
  gearmand: async (port) => [gearmand(port)],
  ours: async (port) => [{ port, command: process.execPath, args: [OURS, port] }],
  'node-floor': async (port) => [{ port, command: process.execPath, args: [NODE_FLOOR, port] }],
  'c-floor': async (port) => [{ port, command: compile(C_FLOOR), args: [port] }],
  sqlite: async (port, folder) => [
    gearmand(port, '-q', 'libsqlite3', `--libsqlite3-db=${join(folder, 'gearmand.db')}`),
  ],
  redis: async (port, folder) => {
    const store = redis(await freePort(), folder);
    return [store, gearmand(port, '-q', 'redis', '--redis-server=127.0.0.1', `--redis-port=${store.port}`)];
  },
  durable: async (port, folder) => [{ port, command: process.execPath, args: [OURS, port, join(folder, 'jobs')] }],
  postgres: async (port, url) => [{ port, command: process.execPath, args: [OURS, port, url] }],
  'gearmand-postgres': async (port, url) => [gearmand(port, '-q', 'Postgres', `--libpq-conninfo=${url}`)],
};

/** Whether C gearmand is installed. */
export const hasGearmand = existsSync(GEARMAND);
/** Whether Redis is installed, in which gearmand can store jobs. */
export const hasRedis = existsSync(REDIS);

const running = new Set();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

/** Starts a job server on a free port and waits until it accepts connections. */
export async function startServer(name, folder) {
  const port = await freePort();
  const processes = [];
  for (const program of await SERVERS[name](port, folder)) processes.push(await start(program));
  return {
    port,
    pids: processes.map(({ pid }) => pid),
    /** Kills it, as a crash would. */
    async stop() {
      for (const child of processes.reverse()) {
        const over = once(child, 'exit');
        child.kill('SIGKILL');
        await over;
        running.delete(child);
      }
    },
  };
}

function gearmand(port, ...queue) {
  const args = [`--port=${port}`, '--listen=127.0.0.1', '--log-file=stderr', '--threads=4', ...queue];
  return { port, command: GEARMAND, args };
}

/** Redis in its fastest form: it writes nothing to the disk. */
function redis(port, folder) {
  const args = ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  return { port, command: REDIS, args };
}

async function start({ port, command, args }) {
  const child = spawn(command, args.map(String), { stdio: ['ignore', 'ignore', 'inherit'] });
  running.add(child);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode} at its start`);
    await sleep(5);
  }
  return child;
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

export function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const answer = (isOpen) => () => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once('connect', answer(true)).once('error', answer(false));
  });
}
