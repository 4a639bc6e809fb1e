import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Transport } from '@nestjs/microservices';
import * as sides from './sides.mjs';

const require = createRequire(import.meta.url);
const OURS = fileURLToPath(new URL('../job-server.mjs', import.meta.url));
const GEARMAND = process.env.GEARMAND ?? '/usr/sbin/gearmand';
const REDIS = process.env.REDIS ?? '/usr/bin/redis-server';
const NATS = process.env.NATS ?? '/usr/sbin/nats-server';
const RABBITMQ = process.env.RABBITMQ ?? '/usr/lib/rabbitmq/bin/rabbitmq-server';

const ours = (port) => ({ command: process.execPath, args: [OURS, port] });
const durable = (port, folder) => ({ command: process.execPath, args: [OURS, port, join(folder, 'jobs')] });
const gearmand = (port) => ({
  command: GEARMAND,
  args: [`--port=${port}`, '--listen=127.0.0.1', '--log-file=stderr', '--threads=4'],
});
/** Redis in its fastest form: it writes nothing to the disk. */
const redis = (port, folder) => ({
  command: REDIS,
  args: ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder],
});
const nats = (port) => ({ command: NATS, args: ['-a', '127.0.0.1', '-p', port] });
const rabbitmq = (port, folder) => ({
  command: RABBITMQ,
  args: [],
  env: {
    HOME: folder,
    RABBITMQ_NODENAME: `bench-${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${port + 1}`,
    RABBITMQ_MNESIA_BASE: folder,
    RABBITMQ_LOG_BASE: folder,
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    ERL_EPMD_ADDRESS: '127.0.0.1',
  },
});

const gearman = (port) => ({ gearman: { servers: `127.0.0.1:${port}` } });
const nestOf = (transport, options) => (port) => ({ nest: { transport, options: options(port) } });

/** Nest's transports. */
export const TRANSPORTS = {
  ours: { sides: sides.nest, broker: ours, options: gearman },
  'ours over gearmand': { sides: sides.nest, needs: [GEARMAND], broker: gearmand, options: gearman },
  TCP: { sides: sides.nest, options: nestOf(Transport.TCP, (port) => ({ host: '127.0.0.1', port })) },
  NATS: {
    sides: sides.nest,
    needs: [NATS],
    packages: ['@nats-io/transport-node'],
    broker: nats,
    options: nestOf(Transport.NATS, (port) => ({ servers: [`nats://127.0.0.1:${port}`] })),
  },
  Redis: {
    sides: sides.nest,
    needs: [REDIS],
    packages: ['ioredis'],
    broker: redis,
    options: nestOf(Transport.REDIS, (port) => ({ host: '127.0.0.1', port })),
  },
  RMQ: {
    sides: sides.nest,
    needs: [RABBITMQ],
    packages: ['amqplib', 'amqp-connection-manager'],
    broker: rabbitmq,
    options: nestOf(Transport.RMQ, (port) => ({
      urls: [`amqp://127.0.0.1:${port}`],
      queue: 'bench',
      queueOptions: { durable: false },
    })),
  },
};

/** Libraries that speak Gearman, over C gearmand. */
export const LIBRARIES = {
  'our driver': { sides: sides.driver, needs: [GEARMAND], broker: gearmand, options: gearman },
  'node-gearman': {
    sides: sides.nodeGearman,
    needs: [GEARMAND],
    packages: ['node-gearman'],
    broker: gearmand,
    options: (port) => ({ port }),
  },
  gearmanode: {
    sides: sides.gearmanode,
    needs: [GEARMAND],
    packages: ['gearmanode'],
    broker: gearmand,
    options: (port) => ({ port }),
  },
};

/** Queues of background jobs. */
export const QUEUES = {
  'ours, in memory': { sides: sides.background, broker: ours, options: gearman },
  'ours, on disk': { sides: sides.background, broker: durable, options: gearman },
  'BullMQ, Redis in memory': {
    sides: sides.bullmq,
    needs: [REDIS],
    packages: ['bullmq'],
    broker: redis,
    options: (port) => ({ port }),
  },
};

/** The contestant that the arguments of one of its processes name: its name, the port, the format. */
export function contestant([name, port, format]) {
  const { sides: both, options } = { ...TRANSPORTS, ...LIBRARIES, ...QUEUES }[name];
  return { sides: both, options: options(Number(port)), format };
}

/** What is missing for a contestant, with the cure; undefined if nothing is. */
export function missingFor({ needs = [], packages = [] }) {
  const programs = needs.filter((path) => !existsSync(path));
  if (programs.length > 0) return `${programs.join(', ')} is missing`;
  const absent = packages.filter((name) => !isInstalled(name));
  return absent.length > 0 ? `npm install --no-save ${absent.join(' ')}` : undefined;
}

function isInstalled(name) {
  return require.resolve.paths(name).some((folder) => existsSync(join(folder, name)));
}
