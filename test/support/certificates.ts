import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from './temp-dir.js';

/** A certificate and its key, in PEM, and the files that contain them. */
export interface Certificate {
  cert: string;
  key: string;
  files: { certificate: string; key: string };
}

/** A certificate authority of a test's own. */
export interface CertificateAuthority {
  /** Its own certificate, in PEM; the other side must trust it. */
  ca: string;
  file: string;
  /** Signs a certificate for a host name, for 2 days by default. `file` is the name of its files; older files of that name are replaced. */
  issue(host: string, file?: string, days?: number): Certificate;
}

/** Makes a certificate authority with openssl; it is deleted when the test file is over. */
export function certificateAuthority(): CertificateAuthority {
  const folder = tempDir();
  const path = (file: string) => join(folder, file);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (file: string) => readFileSync(path(file), 'utf8');
  const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...keyOptions, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test CA');
  return {
    ca: read('ca.pem'),
    file: path('ca.pem'),
    issue(host, file = host, days = 2) {
      const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
      const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', `${days}`];
      openssl('req', '-x509', ...keyOptions, '-keyout', `${file}.key`, '-out', `${file}.pem`, ...subject, ...signer);
      return {
        cert: read(`${file}.pem`),
        key: read(`${file}.key`),
        files: { certificate: path(`${file}.pem`), key: path(`${file}.key`) },
      };
    },
  };
}
