import type { Duplex } from 'node:stream';
import { aboutError, type Log } from '../../ground/index.js';
import { refuseToListen } from './listen-error.js';
import { Listener, type KeepAliveOptions, type ListenerOptions } from './listener.js';
import type { PeerInfo } from './session-host.js';
import type { Traffic } from './traffic.js';

/** Everywhere a job server listens. */
export class Listeners {
  private all: Listener[] = [];
  private isOpen = false;

  /** @param accept is given every connection, and where it comes from. */
  constructor(
    private readonly keepAlive: KeepAliveOptions,
    private readonly accept: (stream: Duplex, info: PeerInfo) => void,
    private readonly log: Log,
    private readonly traffic: Traffic,
  ) {}

  /** The addresses it listens on, as clients write them. */
  get addresses(): string[] {
    return this.all.map((listener) => listener.name);
  }

  /** What it listens on, and until when the certificate there is valid. */
  get details(): { address: string; certificateUntil?: Date }[] {
    return this.all.map(({ name, certificateUntil }) => ({
      address: name,
      ...(certificateUntil && { certificateUntil }),
    }));
  }

  /** The port of the first TCP listener, or undefined when there is none. */
  get port(): number | undefined {
    for (const { address } of this.all) if (address && typeof address === 'object') return address.port;
    return undefined;
  }

  /**
   * Begins to listen, at one address after the other, until it is closed.
   *
   * @throws ListenError for the first that cannot be listened on; those before it stay open until {@link close}.
   */
  async listen(addresses: readonly ListenerOptions[]): Promise<void> {
    this.isOpen = true;
    for (const options of addresses) {
      const listener = new Listener(options, this.keepAlive, this.accept, this.log, this.traffic);
      await listener.listen().catch(refuseToListen);
      if (!this.isOpen) return listener.close();
      this.all.push(listener);
      this.log('info', `listening on ${listener.name}`, { address: listener.name });
    }
  }

  /**
   * Reads the certificate files again, for connections made from now on; the
   * open connections stay. A file that cannot be used is logged, and the old
   * certificate stays in use.
   */
  reloadCertificates(): void {
    for (const listener of this.all) {
      try {
        listener.reloadCertificates();
      } catch (error) {
        const about = { address: listener.name, ...aboutError(error) };
        this.log('error', `${listener.name}: the certificate stays as it was: ${(error as Error).message}`, about);
      }
    }
  }

  /** Accepts no more connections; the open ones stay. */
  close(): void {
    this.isOpen = false;
    for (const listener of this.all) listener.close();
    this.all = [];
  }
}
