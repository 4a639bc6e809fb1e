import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
export function listenOn(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      resolve();
    });
  });
}

/** The address of a server: `http://127.0.0.1:4780`. */
export function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo;
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`;
}

/** Time limits for requests to a port of jobs, in milliseconds: for the headers, and for the whole request; a body has 60 s. */
export const REQUEST_LIMITS = { headersTimeout: 10_000, requestTimeout: 90_000 } as const;

/** How many connections a port of jobs may have at once. */
export const MAX_CONNECTIONS = 2_048;
