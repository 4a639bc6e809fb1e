import { connect as connectTcp, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Endpoint } from './address.js';
import { ConnectError } from './errors.js';
import { problemOf } from './problem.js';

/** How long to try, and what gives the attempt up. */
export interface DialOptions {
  /** Milliseconds until a connection counts as failed. */
  timeout: number;
  /** Gives the attempt up. */
  signal?: AbortSignal;
}

/** After how long a silence the kernel probes a TCP connection, in milliseconds. */
const KEEP_ALIVE_DELAY = 60_000;

/**
 * Opens a stream to a job server. With TLS, either the certificate is checked
 * and everything is encrypted, or the attempt fails: it never falls back to plain text.
 *
 * @throws ConnectError saying what to look at.
 */
export async function dial(endpoint: Endpoint, { timeout, signal }: DialOptions): Promise<Duplex> {
  if (endpoint.kind === 'stream') return opening(endpoint, endpoint.connect);
  return opened(
    endpoint,
    opening(endpoint, () => openSocket(endpoint)),
    timeout,
    signal,
  );
}

/** What `open` returns. It may throw: an address with `connect()` does, and Node for TLS options that it does not allow. */
function opening<Stream>({ name }: Endpoint, open: () => Stream): Stream {
  try {
    return open();
  } catch (error) {
    throw new ConnectError(name, problemOf(error as Error), { cause: error });
  }
}

type SocketEndpoint = Exclude<Endpoint, { kind: 'stream' }>;

function openSocket(endpoint: SocketEndpoint): Socket {
  if (endpoint.kind === 'unix') return connectTcp({ path: endpoint.path });
  const { host, port, tls } = endpoint;
  const socket = tls ? connectTls({ servername: nameToVerify(host), ...tls, host, port }) : connectTcp({ host, port });
  // The connection gathers packets into one write already; Nagle's algorithm would only delay it.
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY);
  return socket;
}

/** The name for SNI, which allows no IP addresses. */
function nameToVerify(host: string): string | undefined {
  return isIP(host) ? undefined : host;
}

function opened(endpoint: SocketEndpoint, socket: Socket, timeout: number, signal?: AbortSignal): Promise<Duplex> {
  const isSecure = endpoint.kind === 'tcp' && endpoint.tls !== undefined;
  return new Promise((resolve, reject) => {
    const settle = (problem?: string, cause?: unknown) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      socket
        .off('error', fail)
        .off('close', closed)
        .off(isSecure ? 'secureConnect' : 'connect', succeed);
      if (problem === undefined) return resolve(socket);
      // Later errors of the socket are consequences of the first one.
      socket.on('error', () => undefined).destroy();
      reject(new ConnectError(endpoint.name, problem, { cause }));
    };
    const succeed = () => settle();
    const fail = (error: Error) => settle(problemOf(error), error);
    const closed = () => settle('it closed the connection at once');
    const abort = () => settle('the attempt was given up', signal?.reason);
    const timer = setTimeout(() => settle(`no answer within ${timeout} ms (connectTimeout)`), timeout);
    socket
      .on('error', fail)
      .on('close', closed)
      .on(isSecure ? 'secureConnect' : 'connect', succeed);
    signal?.addEventListener('abort', abort);
    if (signal?.aborted) abort();
  });
}
