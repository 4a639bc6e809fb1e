import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { atEnd } from './cleanup.js';

/** A certificate and its key, in PEM. */
export interface Certificate {
  cert: string;
  key: string;
}

/**
 * A certificate authority of the test's own, made by openssl and gone with the
 * test: `issue` signs certificates for a host name.
 */
export function certificateAuthority(): { ca: string; issue(host: string): Certificate } {
  const folder = mkdtempSync(join(tmpdir(), 'gearman-ca-'));
  atEnd(() => rmSync(folder, { recursive: true, force: true }));
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const read = (file: string) => readFileSync(join(folder, file), 'utf8');
  const keyOptions = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...keyOptions, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=test CA');
  return {
    ca: read('ca.pem'),
    issue(host) {
      const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
      const signer = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-days', '2'];
      openssl('req', '-x509', ...keyOptions, '-keyout', `${host}.key`, '-out', `${host}.pem`, ...subject, ...signer);
      return { cert: read(`${host}.pem`), key: read(`${host}.key`) };
    },
  };
}
