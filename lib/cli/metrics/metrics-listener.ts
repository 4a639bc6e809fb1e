import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PROMETHEUS_CONTENT_TYPE, prometheusTextInTurns, SharedTexts } from '../../telemetry/forms/index.js';
import type { MetricFamily } from '../../telemetry/metrics/index.js';
import { isLoopback, isOtherHost } from '../../web/access/origin-check.js';
import { Connections, cutOffSlow } from '../../web/http/connections.js';
import { secure } from '../../web/http/security-headers.js';
import { listenOn, urlOf } from '../web/http-port.js';
import { limitTurns } from '../web/request-turns.js';

/** How long a client may take to send its request, in milliseconds. */
const REQUEST_TIMEOUT = 10_000;

/** Each scraper has one connection; so many scrapers there are not. */
const MAX_CONNECTIONS = 64;

/** A scraper waits for its answer before it asks again. */
const MOST_AT_ONCE = 4;

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
  private readonly connections = new Connections(MOST_AT_ONCE);
  /** Whether it listens for this machine alone. */
  private isNear = false;
  private readonly texts = new SharedTexts<MeasuredProcess>(async (measured) =>
    prometheusTextInTurns(await measured.metrics()),
  );

  constructor(private readonly measured: MeasuredProcess) {
    this.server = createServer(
      { requestTimeout: REQUEST_TIMEOUT, headersTimeout: REQUEST_TIMEOUT },
      (request, response) => {
        // A client that closes the connection before the end needs no answer.
        response.on('error', () => undefined);
        this.answer(request, response).catch((error: Error) => response.destroy(error));
      },
    );
    limitTurns(this.server);
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** Its address: `http://127.0.0.1:9418`. */
  get url(): string {
    return urlOf(this.server);
  }

  /** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
  async listen(port: number, host: string): Promise<void> {
    await listenOn(this.server, port, host);
    this.isNear = isLoopback((this.server.address() as AddressInfo).address);
  }

  /** Stops listening, and closes all connections. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!(await this.connections.turn(request, response))) return;
    cutOffSlow(response);
    secure(response);
    const { method, url = '' } = request;
    const path = url.split('?', 1)[0];
    if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz') {
      say(response, 404, 'There are /metrics, /healthz and /readyz here.');
    } else if (method !== 'GET' && method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD');
      say(response, 405, 'Only GET and HEAD are answered here.');
    } else if (path === '/metrics' && this.isForOthers(request)) {
      say(
        response,
        421,
        'Only the hosts localhost, 127.0.0.1 and [::1] are answered here; have a proxy send one of them.',
      );
    } else if (path === '/metrics') {
      await this.tellMetrics(response, method === 'HEAD');
    } else {
      const problem = path === '/readyz' ? this.measured.problem() : undefined;
      say(response, problem === undefined ? 200 : 503, problem ?? 'ok');
    }
  }

  /** Whether a page of another site may have sent this to a port for this machine alone. A request without a Host comes from no browser. */
  private isForOthers(request: IncomingMessage): boolean {
    return this.isNear && request.headers.host !== undefined && isOtherHost(request);
  }

  private async tellMetrics(response: ServerResponse, isHead: boolean): Promise<void> {
    const bytes = isHead ? undefined : await this.texts.of(this.measured);
    response.writeHead(200, {
      'Content-Type': PROMETHEUS_CONTENT_TYPE,
      ...(bytes && { 'Content-Length': bytes.length }),
    });
    response.end(bytes);
  }
}

function say(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(`${text}\n`);
}
