import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { GearmanError } from '../../ground/index.js';
import type { PeerInfo } from './session-host.js';

/** Certificates for a TLS listener; each a file's path, read again by `reloadCertificates`. */
export interface TlsListenerOptions {
  /** The server's certificate chain, PEM. */
  certificate: string;
  /** Its private key, PEM. */
  key: string;
  /** The authorities that sign clients' certificates, PEM. Default: the system's. */
  ca?: string;
  /** Whether clients show a certificate. One that cannot be verified is refused also where it is `optional`. Default `none`. */
  clientCertificate?: 'none' | 'optional' | 'required';
}

/** A certificate or key that cannot be read or used. */
export class CertificateError extends GearmanError {
  override readonly name = 'CertificateError';

  constructor(message: string, options?: ErrorOptions) {
    super('GEARMAN_CERTIFICATE', message, options);
  }
}

/** What the files contain, as a TLS server wants it. */
export interface Certificates {
  cert: Buffer;
  key: Buffer;
  ca?: Buffer;
}

/**
 * Reads a listener's certificate files, and makes sure that they fit together.
 *
 * @throws CertificateError naming the file and what is wrong with it.
 */
export function readCertificates({ certificate, key, ca }: TlsListenerOptions): Certificates {
  const certificates: Certificates = { cert: read('certificate', certificate), key: read('key', key) };
  if (ca !== undefined) certificates.ca = read('ca', ca);
  try {
    createSecureContext(certificates);
  } catch (error) {
    const files = ca === undefined ? `${certificate} and ${key}` : `${certificate}, ${key} and ${ca}`;
    throw new CertificateError(`TLS: ${files} cannot be used: ${(error as Error).message}`, { cause: error });
  }
  return certificates;
}

/** Until when a server's certificate is valid. */
export function validUntil({ cert }: Certificates): Date {
  return new Date(new X509Certificate(cert).validTo);
}

function read(option: string, path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new CertificateError(`TLS: ${option} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

/** The certificate a peer showed, if it was verified. */
export function certificateOf(socket: TLSSocket): PeerInfo['certificate'] {
  if (!socket.authorized) return undefined;
  const { subject, fingerprint256 } = socket.getPeerCertificate();
  return { subject: { ...subject }, fingerprint256 };
}

/** Why a certificate that was shown is not accepted; undefined when it is, or none was shown. */
export function certificateProblem(socket: TLSSocket): string | undefined {
  if (socket.authorized || Object.keys(socket.getPeerCertificate()).length === 0) return undefined;
  // The type says Error; it is the code as text.
  return String(socket.authorizationError);
}
