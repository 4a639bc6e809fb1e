import type { JobClient } from '../../lib/driver/index.js';
import { requireBuild } from './built.js';
import { startJobServerCommand } from './command.js';
import type { Daemon } from './daemon.js';
import { startClient } from './driver-jobs.js';
import { freePort } from './free-port.js';
import { until } from './until.js';

/** A job server of the built command, with its page. */
export interface DashboardScene {
  readonly server: Daemon;
  /** The origin of the page: `http://127.0.0.1:4780`. */
  readonly origin: string;
  /** The job server's address. */
  readonly servers: string;
  readonly client: JobClient;
}

export async function startDashboard(...args: string[]): Promise<DashboardScene> {
  requireBuild();
  const port = await freePort();
  const server = await startJobServerCommand(['--web-port', `${port}`, ...args]);
  const origin = `http://127.0.0.1:${port}`;
  await until('the page is there', () =>
    fetch(origin)
      .then(({ ok, status }) => ok || status === 401)
      .catch(() => false),
  );
  const servers = `127.0.0.1:${server.port}`;
  return { server, origin, servers, client: startClient({ servers }) };
}
