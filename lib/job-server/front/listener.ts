import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { Traffic } from './traffic.js';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { problemOf, SharedReads } from '../../connection/index.js';
import { adminAccessFrom, type ListenerAdminAccess } from './admin-access.js';
import {
  certificateOf,
  certificateProblem,
  readCertificates,
  validUntil,
  type Certificates,
  type TlsListenerOptions,
} from './certificates.js';
import { aboutError, type Log } from '../../ground/index.js';
import type { PeerInfo } from './session-host.js';
import { removeStaleSocket } from './stale-socket.js';

/** Where the job server listens: TCP (`host`, `port`), TLS (with `tls`), or a unix socket (`path`). */
export interface ListenerOptions {
  /** Address to listen on. Default `127.0.0.1`; `0.0.0.0` or `::` for all. */
  host?: string;
  /** TCP port, 0 for a free one. Default 4730. */
  port?: number;
  /** Path of a unix socket, instead of `host` and `port`. */
  path?: string;
  /** How many connections may wait to be accepted. Default 511. */
  backlog?: number;
  /** TLS, and nothing else, on this port. Default: plain text. */
  tls?: TlsListenerOptions;
  /** Whether admin words are answered here: `allowed` (default), `refused`, `only` they, or to peers of this machine alone: `loopback`. */
  admin?: ListenerAdminAccess;
}

/** Options of accepted TCP connections. */
export interface KeepAliveOptions {
  /** Idle time before the first probe, in milliseconds; 0 switches keepalive off. Default 60,000. */
  keepAliveDelay: number;
}

const TLS_HANDSHAKE_TIMEOUT = 10_000;

/** The error code of a handshake in which the peer had to show a certificate and did not. */
const NO_CERTIFICATE = 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE';

/** One address the job server listens on. */
export class Listener {
  private readonly server: Server | TlsServer;
  private readonly reads = new SharedReads();
  /** Until when its certificate is valid; undefined without TLS. */
  certificateUntil: Date | undefined;

  /** @param accept is given every connection, and where it comes from. */
  constructor(
    private readonly options: ListenerOptions,
    keepAlive: KeepAliveOptions,
    private readonly accept: (stream: Duplex, info: PeerInfo) => void,
    private readonly log: Log,
    private readonly traffic = new Traffic(),
  ) {
    const socketOptions = {
      noDelay: true,
      keepAlive: keepAlive.keepAliveDelay > 0,
      keepAliveInitialDelay: keepAlive.keepAliveDelay,
      allowHalfOpen: true,
    };
    this.server = options.tls
      ? this.createTls(options.tls, socketOptions)
      : createServer(socketOptions, (accepted) => this.acceptPlain(accepted));
  }

  /** How a client would write this address: `127.0.0.1:4730`, `tls://...`, `unix:/path`. */
  get name(): string {
    if (this.options.path !== undefined) return `unix:${this.options.path}`;
    const { address, port, family } = this.address as AddressInfo;
    return `${this.options.tls ? 'tls://' : ''}${family === 'IPv6' ? `[${address}]` : address}:${port}`;
  }

  get address(): AddressInfo | string | null {
    return this.server.address();
  }

  /** Begins to listen. Rejects with the system's error, as EADDRINUSE. */
  async listen(): Promise<void> {
    try {
      await this.tryToListen();
    } catch (error) {
      const { path } = this.options;
      if (path === undefined || !isInUse(error) || !(await removeStaleSocket(path))) throw error;
      await this.tryToListen();
    }
  }

  private tryToListen(): Promise<void> {
    const { host = '127.0.0.1', port = 4730, path, backlog = 511 } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(path === undefined ? { host, port, backlog } : { path, backlog }, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => {
          this.log('error', `${this.name}: ${error.message}`, { address: this.name, ...aboutError(error) });
        });
        resolve();
      });
    });
  }

  /** Accepts no more connections; the open ones stay. */
  close(): void {
    this.server.close();
  }

  /**
   * Reads the certificate files again: new connections get the new ones. Does nothing without TLS.
   *
   * @throws CertificateError and keeps the old ones.
   */
  reloadCertificates(): void {
    const { tls } = this.options;
    if (tls) (this.server as TlsServer).setSecureContext(this.read(tls));
  }

  private read(tls: TlsListenerOptions): Certificates {
    const certificates = readCertificates(tls);
    this.certificateUntil = validUntil(certificates);
    return certificates;
  }

  private createTls(tls: TlsListenerOptions, socketOptions: object): TlsServer {
    const { clientCertificate = 'none' } = tls;
    const server = createTlsServer(
      {
        ...socketOptions,
        ...this.read(tls),
        requestCert: clientCertificate !== 'none',
        rejectUnauthorized: clientCertificate === 'required',
        handshakeTimeout: TLS_HANDSHAKE_TIMEOUT,
      },
      (socket) => this.acceptSecure(socket),
    );
    server.on('tlsClientError', (error, socket) => {
      // Where a certificate was shown and refused: the code as text, although the type says Error.
      const { authorizationError: refusal } = socket;
      const isAboutCertificate = Boolean(refusal) || (error as NodeJS.ErrnoException).code === NO_CERTIFICATE;
      this.traffic.refused[isAboutCertificate ? 'certificate' : 'tls']++;
      const what = refusal ? refusalOf(String(refusal)) : `TLS handshake failed: ${problemOf(error)}`;
      this.log('warn', `${socket.remoteAddress ?? 'a peer'}: ${what}`, { peer: socket.remoteAddress });
      socket.destroy();
    });
    return server;
  }

  private acceptPlain(accepted: Socket): void {
    const socket = this.reads.of(accepted);
    this.accept(socket, this.infoOf(socket));
  }

  private acceptSecure(socket: TLSSocket): void {
    const info = this.infoOf(socket);
    const problem = certificateProblem(socket);
    if (problem === undefined) {
      this.accept(socket, { ...info, certificate: certificateOf(socket) });
    } else {
      this.traffic.refused.certificate++;
      this.log('warn', `${info.address}: ${refusalOf(problem)}`, { peer: info.address });
      socket.on('error', () => undefined).destroy();
    }
  }

  private infoOf(socket: Socket): PeerInfo {
    const { admin = 'allowed', path } = this.options;
    if (path !== undefined) return { address: path, admin: adminAccessFrom(undefined, admin) };
    // A socket its peer has already closed has no address left.
    const address = plainAddress(socket.remoteAddress ?? 'unknown');
    return { address, port: socket.remotePort, admin: adminAccessFrom(address, admin) };
  }
}

function refusalOf(problem: string): string {
  return `its certificate was refused: ${problem}`;
}

function isInUse(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
}

/** An IPv4 address as such, also where a dual-stack socket gives it as IPv6. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
