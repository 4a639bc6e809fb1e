import type { ConnectionOptions as TlsConnectionOptions } from 'node:tls';
import { InvalidOptionError } from '../ground/index.js';

/** What Node's `tls.connect` takes: `ca`, `cert`, `key`, `servername`, `rejectUnauthorized` (default true) and the like. */
export type TlsOptions = Omit<TlsConnectionOptions, 'host' | 'port' | 'path' | 'socket' | 'timeout'>;

const ALLOWED = 'true, false or options of tls.connect';

/**
 * Refuses options that `tls` does not have, and paths in place of certificates:
 * Node would read a path as an empty list of authorities, and then know no
 * certificate. The message never shows a key.
 *
 * @throws InvalidOptionError
 */
export function checkTls(tls: unknown): void {
  if (tls === undefined || typeof tls === 'boolean') return;
  if (typeof tls !== 'object' || tls === null) throw InvalidOptionError.notAllowed('tls', tls, ALLOWED);
  for (const option of ['ca', 'cert', 'key'] as const) {
    const texts = [(tls as TlsOptions)[option]].flat();
    if (texts.some((text) => typeof text === 'string' && !text.includes('-----BEGIN '))) {
      throw new InvalidOptionError(
        `tls.${option}`,
        "must be what is in a PEM file, as readFileSync('ca.pem') reads it",
      );
    }
  }
}
