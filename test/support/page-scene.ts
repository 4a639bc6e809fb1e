import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { JobClient } from '../../lib/driver/index.js';
import type { JobServer, JobServerOptions } from '../../lib/job-server/index.js';
import type { WebHandler, WebHandlerOptions } from '../../lib/web/index.js';
import { requireBuild, ROOT } from './built.js';
import { atEnd } from './cleanup.js';

/** A built job server in this process, with its page. */
export interface PageScene {
  readonly jobServer: JobServer;
  readonly handler: WebHandler;
  readonly client: JobClient;
  /** The origin of the page: `http://127.0.0.1:4780`. */
  readonly origin: string;
}

/** A room of the built package, because only that has the page. */
export async function builtRoom<Room>(room: string): Promise<Room> {
  requireBuild();
  return (await import(join(ROOT, 'dist', room, 'index.js'))) as unknown as Room;
}

export async function startPageScene(
  options: JobServerOptions = {},
  web: Partial<WebHandlerOptions> = {},
): Promise<PageScene> {
  const { JobServer } = await builtRoom<typeof import('../../lib/job-server/index.js')>('job-server');
  const { createWebHandler } = await builtRoom<typeof import('../../lib/web/index.js')>('web');
  const jobServer = new JobServer({ listeners: [], ...options });
  await jobServer.start();
  const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open', ...web });
  const http = createServer(handler);
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  const client = new JobClient({ servers: jobServer });
  atEnd(async () => {
    await client.close();
    await handler.close();
    http.closeAllConnections();
    http.close();
    await jobServer.stop();
  });
  return { jobServer, handler, client, origin: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}
