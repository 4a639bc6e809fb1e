import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JobServer } from '../../job-server/job-server.js';
import { gearmandHandler } from '../../web/gearmand/gearmand-http.js';

/** How long headers may take, in milliseconds. */
const HEADERS_TIMEOUT = 10_000;

/** How long a whole request may take; its body has 60 s. */
const REQUEST_TIMEOUT = 90_000;

const MAX_CONNECTIONS = 2_048;

/** gearmand's `--protocol http` on one address. */
export class GearmandHttpListener {
  private readonly server: Server;

  constructor(
    jobServer: JobServer,
    private readonly port: number,
    private readonly host: string,
  ) {
    const options = {
      headersTimeout: HEADERS_TIMEOUT,
      requestTimeout: REQUEST_TIMEOUT,
      // As with gearmand, a request need not say which host it means.
      requireHostHeader: false,
    };
    this.server = createServer(options, gearmandHandler(jobServer));
    this.server.maxConnections = MAX_CONNECTIONS;
  }

  /** Where it listens: `http://127.0.0.1:8080`. */
  get url(): string {
    const { address, port, family } = this.server.address() as AddressInfo;
    return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  /** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ port: this.port, host: this.host }, () => {
        this.server.off('error', reject);
        this.server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** Ends, and cuts off who is connected: their jobs are given up. */
  close(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
