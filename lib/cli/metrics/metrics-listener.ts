import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { inTurns, PROMETHEUS_CONTENT_TYPE, prometheusChunks } from '../../telemetry/forms/index.js';
import type { MetricFamily } from '../../telemetry/metrics/index.js';
import { listenOn, urlOf } from '../web/http-port.js';

/** How long a client may take to send its request, in milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** Each scraper has one connection; so many scrapers there are not. */
const MAX_CONNECTIONS = 64;

/** The process whose metrics and health are served. */
export interface MeasuredProcess {
  metrics(): readonly MetricFamily[] | Promise<readonly MetricFamily[]>;
  /** Why it should get no work now; undefined if it may. */
  problem(): string | undefined;
}

/**
 * A small HTTP server for monitoring: `/metrics` for Prometheus, `/healthz` as
 * long as the process answers, `/readyz` while it can do its work. It serves
 * nothing else, and changes nothing.
 */
export class MetricsListener {
  private readonly server: Server;

  constructor(private readonly measured: MeasuredProcess) {
    this.server = createServer(
      { requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT },
      (request, response) => {
        // A client that closes the connection before the end needs no answer.
        response.on('error', () => undefined);
        this.answer(request, response).catch((error: Error) => response.destroy(error));
      },
    );
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** Its address: `http://127.0.0.1:9418`. */
  get url(): string {
    return urlOf(this.server);
  }

  /** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
  listen(port: number, host: string): Promise<void> {
    return listenOn(this.server, port, host);
  }

  /** Stops listening, and closes all connections. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer({ method, url = '' }: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = url.split('?', 1)[0];
    if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
      say(response, 404, 'There are /metrics, /healthz and /readyz here.');
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      say(response, 405, 'Only GET and HEAD are answered here.');
    } else if (path === '/metrics') {
      await this.tellMetrics(response, method === 'HEAD');
    } else {
      const problem = path === '/readyz' ? this.measured.problem() : undefined;
      say(response, problem === undefined ? 200 : 503, problem ?? 'ok');
    }
  }

  private async tellMetrics(response: ServerResponse, isHead: boolean): Promise<void> {
    const families = await this.measured.metrics();
    response.writeHead(200, { 'Content-Type': PROMETHEUS_CONTENT_TYPE, 'Cache-Control': 'no-store' });
    if (!isHead) await inTurns(writing(response, prometheusChunks(families)));
    response.end();
  }
}

/** Writes parts one by one; the event loop may do other work in between. */
function* writing(response: ServerResponse, parts: Iterable<string>): Generator<void, void> {
  for (const part of parts) {
    if (response.destroyed) return;
    response.write(part);
    yield;
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', 'Cache-Control': 'no-store' });
  response.end(`${text}\n`);
}
