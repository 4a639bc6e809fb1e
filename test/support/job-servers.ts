import { beforeAll, describe } from '@jest/globals';
import type { ServerAddress } from 'nestjs-gearman';
import { JobServer, type JobServerOptions } from 'nestjs-gearman/job-server';
import { atEnd } from './cleanup.js';
import { startGearmand } from './gearmand.js';
import { describeWith } from './peers.js';

/**
 * `describe` for each kind of job server: C gearmand, and ours in this process.
 * `tests` gets a function that returns the job server's address, to be called in
 * tests and hooks.
 */
export function describeJobServers(title: string, tests: (servers: () => ServerAddress) => void): void {
  describeWith('gearmand', `${title}, over C gearmand`, () => withServer(startC, tests));
  describe(`${title}, over our job server`, () => withServer(startOurs, tests));
}

function withServer(start: () => Promise<ServerAddress>, tests: (servers: () => ServerAddress) => void): void {
  let address: ServerAddress;
  beforeAll(async () => {
    address = await start();
  });
  tests(() => address);
}

async function startC(): Promise<ServerAddress> {
  const { port } = await startGearmand();
  return `127.0.0.1:${port}`;
}

/** Starts our job server, in this process and without a port. */
export async function startOurs(): Promise<JobServer> {
  const server = new JobServer({ listeners: [] });
  await server.start();
  atEnd(() => server.stop());
  return server;
}

/** Starts our job server on a free loopback port, for peers outside this process. */
export async function startListening(options: JobServerOptions = {}): Promise<{ port: number; server: JobServer }> {
  const server = new JobServer({ listeners: [{ host: '127.0.0.1', port: 0 }], ...options });
  await server.start();
  atEnd(() => server.stop());
  return { port: server.port!, server };
}
