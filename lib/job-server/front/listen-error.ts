import { GearmanError } from '../../ground/index.js';

const CURES: Record<string, string> = {
  EADDRINUSE: 'another program listens there; end it, or choose another port',
  EACCES: 'this user may not; choose a port from 1024 on, or a folder it may write to',
  EADDRNOTAVAIL: 'this machine has no such address; 127.0.0.1 and 0.0.0.0 are there everywhere',
  ENOTFOUND: 'no such host name',
};

/** An address cannot be listened on. The message names it and the cure. */
export class ListenError extends GearmanError {
  override readonly name = 'ListenError';
  /** The system's: `EADDRINUSE`, `EACCES` and so on. */
  readonly systemCode: string | undefined;

  /** @param cause what the system said; of a TCP address it has the port, of a unix socket a port below 0. */
  constructor(cause: NodeJS.ErrnoException & { address?: string; port?: number; hostname?: string }) {
    const { address, port = -1, hostname, code } = cause;
    const host = address ?? hostname;
    const where = port < 0 ? host : `${host?.includes(':') ? `[${host}]` : host}:${port}`;
    super('GEARMAN_LISTEN_FAILED', `cannot listen on ${where}: ${CURES[code ?? ''] ?? cause.message}`, { cause });
    this.systemCode = code;
  }
}

/** Throws a {@link ListenError} in the place of what the system said. */
export function refuseToListen(cause: Error): never {
  throw new ListenError(cause);
}
