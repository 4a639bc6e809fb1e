import { createServer, type Server } from 'node:http';
import type { JobServer } from '../../job-server/job-server.js';
import { gearmandHandler } from '../../web/gearmand/gearmand-http.js';
import { listenOn, MAX_CONNECTIONS, REQUEST_LIMITS, urlOf } from './http-port.js';
import { limitTurns } from './request-turns.js';

/** gearmand's `--protocol http` on one address. */
export class GearmandHttpListener {
  private readonly server: Server;

  constructor(
    jobServer: JobServer,
    private readonly port: number,
    private readonly host: string,
  ) {
    // As in gearmand, a request needs no Host header.
    const options = { ...REQUEST_LIMITS, requireHostHeader: false };
    this.server = createServer(options, gearmandHandler(jobServer));
    limitTurns(this.server);
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** Its address: `http://127.0.0.1:8080`. */
  get url(): string {
    return urlOf(this.server);
  }

  /** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
  listen(): Promise<void> {
    return listenOn(this.server, this.port, this.host);
  }

  /** Stops listening, and closes all connections: their jobs are given up. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
