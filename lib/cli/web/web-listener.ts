import { createServer, type Server } from 'node:http';
import type { MetricFamily } from '../../telemetry/metrics/index.js';
import { answerUnreadable } from '../../web/http/unreadable-request.js';
import { createWebHandler, type WebHandler, type WebHandlerOptions } from '../../web/web-handler.js';
import { listenOn, MAX_CONNECTIONS, REQUEST_LIMITS, urlOf } from './http-port.js';
import { limitTurns } from './request-turns.js';

/** Where the HTTP API is served, and for whom. */
export interface WebSettings {
  port: number;
  host: string;
  /** The file of tokens; without it everybody on this machine may do everything. */
  tokens?: string;
  /** Names that are allowed in the Host header, in addition to the usual ones. */
  hosts: string[];
  readOnly: boolean;
}

/** The HTTP API of job servers on a port of its own. */
export class WebListener {
  private readonly handler: WebHandler;
  private readonly server: Server;

  /** @throws Error when the token file cannot be read. */
  constructor(
    sources: WebHandlerOptions['sources'],
    private readonly settings: WebSettings,
    log?: WebHandlerOptions['log'],
  ) {
    const { tokens, hosts, readOnly } = settings;
    this.handler = createWebHandler({
      sources,
      access: tokens === undefined ? 'open' : { tokens },
      hosts,
      readOnly,
      ...(log && { log }),
    });
    this.server = createServer(REQUEST_LIMITS, this.handler);
    answerUnreadable(this.server);
    limitTurns(this.server);
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** Its address: `http://127.0.0.1:4780`. */
  get url(): string {
    return urlOf(this.server);
  }

  /** Metrics of its requests. */
  metrics(): MetricFamily[] {
    return this.handler.metrics();
  }

  /** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
  listen(): Promise<void> {
    return listenOn(this.server, this.settings.port, this.settings.host);
  }

  /** Reads the tokens again. @throws Error; the former tokens then stay. */
  reload(): void {
    this.handler.reload();
  }

  /** Stops listening: whoever waits for an answer gets one, and whoever does not read is disconnected. */
  async close(): Promise<void> {
    this.server.close();
    await this.handler.close();
    this.server.closeAllConnections();
  }
}
