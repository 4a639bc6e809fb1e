import { beforeAll, expect, it } from '@jest/globals';
import { certificateAuthority, type CertificateAuthority } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { startJobServerCommand } from '../../support/command.js';
import type { Daemon } from '../../support/daemon.js';
import { freePort } from '../../support/free-port.js';
import { describeWith } from '../../support/peers.js';
import { command, RunningCommand } from '../../support/terminal.js';
import { until } from '../../support/until.js';

describeWith('openssl', 'nestjs-gearman over TLS', () => {
  let authority: CertificateAuthority;
  let daemon: Daemon;
  let secure: string;
  let trusting: string[];
  let known: string[];

  beforeAll(async () => {
    // One after the other: Jest cannot load two commands at once.
    for (const name of ['work', 'submit', 'status']) await command([name, '--help']);
    authority = certificateAuthority();
    const [server, client] = [authority.issue('localhost').files, authority.issue('client').files];
    const sslPort = await freePort();
    daemon = await startJobServerCommand([
      ...['--ssl-port', `${sslPort}`, '--ssl-certificate', server.certificate, '--ssl-key', server.key],
      ...['--ssl-ca-file', authority.file, '--ssl-client-certificate', 'required'],
    ]);
    secure = `localhost:${sslPort}`;
    trusting = ['--server', secure, '--tls-ca', authority.file];
    known = [...trusting, '--tls-certificate', client.certificate, '--tls-key', client.key];
  });

  it('works and submits with a certificate, beside plain text on the other port', async () => {
    const worker = new RunningCommand(['work', ...known, '-f', 'reverse', '--', 'rev']);
    atEnd(async () => {
      worker.interrupt();
      await worker.result;
    });
    expect(await command(['submit', ...known, 'reverse', 'over TLS'])).toMatchObject({ stdout: 'SLT revo' });
    const plain = ['--server', `127.0.0.1:${daemon.port}`];
    expect(await command(['submit', ...plain, 'reverse', 'in plain text'])).toMatchObject({ stdout: 'txet nialp ni' });
  });

  it('refuses who shows no certificate, and says so on both sides', async () => {
    const { stdout, stderr, exitCode } = await command(['status', ...trusting]);
    expect([stdout, exitCode]).toEqual(['', 1]);
    expect(stderr).toMatch(/was lost: it demands a certificate; .* \(ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED\)\n$/);
    await until('the log says it', () => {
      return /TLS handshake failed: peer did not return a certificate\n/.test(daemon.output());
    });
  });

  it('never speaks plain text where TLS was asked for, on either side', async () => {
    expect(await command(['status', '--server', secure])).toMatchObject({ stdout: '', exitCode: 1 });
    const plain = ['--server', `127.0.0.1:${daemon.port}`, '--tls'];
    expect(await command(['status', ...plain])).toMatchObject({ stdout: '', exitCode: 1 });
  });

  it('reads certificates again at SIGHUP, and demands those of clients as before', async () => {
    authority.issue('localhost');
    process.kill(daemon.pid, 'SIGHUP');
    await until('it was told', () => daemon.output().includes('certificates read again'));
    expect(await command(['status', ...known])).toMatchObject({ exitCode: 0 });
    expect(await command(['status', ...trusting])).toMatchObject({ exitCode: 1 });
  });
});
