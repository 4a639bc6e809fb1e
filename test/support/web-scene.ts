import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebHandler, WebHandlerOptions } from '../../lib/web/index.js';
import { createWebHandler } from '../../lib/web/web-handler.js';
import type { JobServerOptions } from '../../lib/job-server/index.js';
import { mustFit } from './api-answers.js';
import { atEnd } from './cleanup.js';
import { startFront, type FrontScene } from './front.js';
import type { RawPeer } from './raw-peer.js';

/** A job server with an HTTP API. Every answer is compared with openapi.json. */
export interface WebScene extends FrontScene {
  readonly handler: WebHandler;
  readonly http: Server;
  readonly port: number;
  /** The routes that have answered, as `GET /v1/jobs 200`. */
  readonly answered: Set<string>;
  ask(method: string, path: string, init?: RequestInit): Promise<Response>;
  /** Sends a request, and reads the answer's JSON. */
  json(method: string, path: string, init?: RequestInit): Promise<{ status: number; body: any }>; // oxlint-disable-line typescript/no-explicit-any -- what JSON is, the tests say
}

export async function startWeb(
  jobServerOptions: JobServerOptions = {},
  options: Partial<WebHandlerOptions> = {},
): Promise<WebScene> {
  const front = await startFront(jobServerOptions);
  const handler = createWebHandler({
    sources: [{ name: 'main', jobServer: front.server }],
    access: 'open',
    ...options,
  });
  const server = createServer(handler);
  // On a busy machine the server might close an idle connection just when the next request is sent on it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(async () => {
    await handler.close();
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const answered = new Set<string>();
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...init });
    const { status, headers } = response;
    // An answer that is no JSON may not have arrived as a whole yet.
    const body = /json/.test(headers.get('content-type') ?? 'json') ? await response.clone().text() : '';
    answered.add(await mustFit(method, path, { status, headers, body }));
    return response;
  };
  const json: WebScene['json'] = async (method, path, init) => {
    const response = await ask(method, path, init);
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  };
  return { ...front, handler, http: server, port, answered, ask, json };
}

/** A worker that waits for a job of a function, and returns its handle and workload. */
export async function grab(worker: RawPeer, name = 'f'): Promise<{ handle: string; workload: string }> {
  worker.send(`CAN_DO ${name}`, 'ALL_YOURS', 'GRAB_JOB');
  const [, handle, workload] = /^JOB_ASSIGN ([^·]+)·[^·]*·(.*)$/s.exec(await worker.next())!;
  return { handle: handle!, workload: workload! };
}
