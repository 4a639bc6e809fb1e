import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import type { AdminAccess, Log, PeerInfo } from './session-host.js';

/** Certificates for a TLS listener; each a file's path, read again by `reloadCertificates`. */
export interface TlsListenerOptions {
  /** The server's certificate chain, PEM. */
  certificate: string;
  /** Its private key, PEM. */
  key: string;
  /** The authorities that sign clients' certificates, PEM. Default: the system's. */
  ca?: string;
  /** Whether clients show a certificate. Default `none`. */
  clientCertificate?: 'none' | 'optional' | 'required';
}

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
  tls?: TlsListenerOptions;
  /** Whether admin words are answered here: `allowed` (default), `refused`, or `only` they. */
  admin?: AdminAccess;
}

/** Options of accepted TCP connections. */
export interface KeepAliveOptions {
  /** Idle time before the first probe, in milliseconds; 0 switches keepalive off. Default 60,000. */
  keepAliveDelay: number;
}

const TLS_HANDSHAKE_TIMEOUT = 10_000;

/** One address the job server listens on. */
export class Listener {
  private readonly server: Server | TlsServer;

  /** @param accept is given every connection, and where it comes from. */
  constructor(
    private readonly options: ListenerOptions,
    keepAlive: KeepAliveOptions,
    private readonly accept: (stream: Duplex, info: PeerInfo) => void,
    private readonly log: Log,
  ) {
    const socketOptions = {
      noDelay: true,
      keepAlive: keepAlive.keepAliveDelay > 0,
      keepAliveInitialDelay: keepAlive.keepAliveDelay,
      allowHalfOpen: true,
    };
    this.server = options.tls
      ? this.createTls(options.tls, socketOptions)
      : createServer(socketOptions, (socket) => this.accept(socket, this.infoOf(socket)));
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
  listen(): Promise<void> {
    const { host = '127.0.0.1', port = 4730, path, backlog = 511 } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(path === undefined ? { host, port, backlog } : { path, backlog }, () => {
        this.server.off('error', reject);
        this.server.on('error', (error) => this.log('error', `${this.name}: ${error.message}`));
        resolve();
      });
    });
  }

  /** Accepts no more connections; those there are stay. */
  close(): void {
    this.server.close();
  }

  /** Reads the certificate files again: new connections get the new ones. Does nothing without TLS. */
  reloadCertificates(): void {
    if (this.options.tls) (this.server as TlsServer).setSecureContext(secureContextOf(this.options.tls));
  }

  private createTls(tls: TlsListenerOptions, socketOptions: object): TlsServer {
    const { clientCertificate = 'none' } = tls;
    const server = createTlsServer(
      {
        ...socketOptions,
        ...secureContextOf(tls),
        requestCert: clientCertificate !== 'none',
        rejectUnauthorized: clientCertificate === 'required',
        handshakeTimeout: TLS_HANDSHAKE_TIMEOUT,
      },
      (socket) => this.accept(socket, this.infoOf(socket, socket)),
    );
    server.on('tlsClientError', (error, socket) => {
      this.log('warn', `${socket.remoteAddress ?? 'a peer'}: TLS handshake failed: ${error.message}`);
      socket.destroy();
    });
    return server;
  }

  private infoOf(socket: Socket, tls?: TLSSocket): PeerInfo {
    const { admin = 'allowed', path } = this.options;
    // A socket its peer has already closed has no address left.
    const info: PeerInfo = { address: path ?? plainAddress(socket.remoteAddress ?? 'unknown'), admin };
    if (path === undefined) info.port = socket.remotePort;
    if (tls?.authorized) {
      const { subject, fingerprint256 } = tls.getPeerCertificate();
      info.certificate = { subject: { ...subject }, fingerprint256 };
    }
    return info;
  }
}

function secureContextOf({ certificate, key, ca }: TlsListenerOptions): { cert: Buffer; key: Buffer; ca?: Buffer } {
  return {
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
  };
}

/** An IPv4 address as such, also where a dual-stack socket gives it as IPv6. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}
