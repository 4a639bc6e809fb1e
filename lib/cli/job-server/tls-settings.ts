import { readFileSync } from 'node:fs';
import type { TlsOptions } from '../../connection/index.js';
import type { TlsListenerOptions } from '../../job-server/index.js';
import { UsageFailure } from '../failure.js';
import type { JobServerValues } from './options.js';

/**
 * The certificates for `--ssl` and `--ssl-port`, from the command line or, as
 * with gearmand, from the environment; undefined if TLS was not asked for.
 *
 * @throws UsageFailure if TLS was asked for but a file is missing: TLS is never left out silently.
 */
export function tlsSettings(values: JobServerValues, env: NodeJS.ProcessEnv): TlsListenerOptions | undefined {
  const { ssl, 'ssl-port': sslPort, 'ssl-client-certificate': clientCertificate = 'none' } = values;
  if (!ssl && sslPort === undefined) {
    refuseUnused(values);
    return undefined;
  }
  if (ssl && sslPort !== undefined) {
    throw new UsageFailure(
      '--ssl and --ssl-port: choose one; --ssl is TLS on --port, --ssl-port is TLS beside plain text',
    );
  }
  const certificate = values['ssl-certificate'] ?? env['GEARMAND_SERVER_PEM'];
  const key = values['ssl-key'] ?? env['GEARMAND_SERVER_KEY'];
  const ca = values['ssl-ca-file'] ?? env['GEARMAND_CA_CERTIFICATE'];
  if (clientCertificate !== 'none' && !ca) {
    throw new UsageFailure(
      `--ssl-client-certificate ${clientCertificate} needs --ssl-ca-file: who signs the certificates of clients`,
    );
  }
  // As with gearmand: whoever only checks options need not have the files yet.
  if (values['check-args'] && !(certificate && key)) return undefined;
  return {
    certificate: needed('--ssl-certificate', certificate),
    key: needed('--ssl-key', key),
    clientCertificate,
    ...(ca && { ca }),
  };
}

/**
 * TLS as a client of the other job servers that share the storage: this job
 * server shows them its own certificate, and trusts the authority that it trusts
 * for its clients.
 *
 * @throws UsageFailure for a file that cannot be read.
 */
export function relayTls({ certificate, key, ca }: TlsListenerOptions): TlsOptions {
  try {
    return { cert: readFileSync(certificate), key: readFileSync(key), ...(ca && { ca: readFileSync(ca) }) };
  } catch (error) {
    throw new UsageFailure(`--advertise with TLS: ${(error as Error).message}`);
  }
}

function needed(option: string, value: string | undefined): string {
  if (!value) throw new UsageFailure(`TLS needs ${option}: the path of a PEM file`);
  return value;
}

function refuseUnused(values: JobServerValues): void {
  const names = ['ssl-certificate', 'ssl-key', 'ssl-ca-file', 'ssl-client-certificate'] as const;
  const unused = names.find((name) => values[name] !== undefined);
  if (unused) throw new UsageFailure(`--${unused} needs TLS: add --ssl, or --ssl-port PORT`);
}
