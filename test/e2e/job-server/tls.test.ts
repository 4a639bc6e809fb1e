import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from '@jest/globals';
import { AdminClient, JobClient, JobWorker } from 'nestjs-gearman';
import { CertificateError, JobServer, type JobServerOptions, type TlsListenerOptions } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { certificateAuthority, type Certificate, type CertificateAuthority } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { describeWith } from '../../support/peers.js';
import { CLOSED, RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';

describeWith('openssl', 'a job server with TLS', () => {
  let authority: CertificateAuthority;
  let server: Certificate['files'];
  let client: Certificate;
  let stranger: Certificate;

  beforeAll(() => {
    authority = certificateAuthority();
    server = authority.issue('localhost').files;
    client = authority.issue('client');
    stranger = certificateAuthority().issue('stranger');
  });

  it('serves a plain and a TLS port at once', async () => {
    const jobServer = await start(['plain', server]);
    const [plain, secure] = jobServer.addresses;
    const worker = new JobWorker({ servers: plain! });
    atEnd(() => worker.close());
    worker.register('reverse', ({ workload }) => Buffer.from(workload).reverse());
    await worker.start();
    const submitter = new JobClient({ servers: secure!, tls: { ca: authority.ca, servername: 'localhost' } });
    atEnd(() => submitter.close());
    const result = await new Promise<Buffer>((complete, fail) =>
      submitter.submit({ function: 'reverse', workload: Buffer.from('olleh') }, { complete, fail }),
    );
    expect(result.toString()).toBe('hello');
  });

  it('is understood by openssl s_client', async () => {
    const { port } = await start([server]);
    const args = ['s_client', '-quiet', '-verify_return_error', '-CAfile', authority.file];
    const openssl = spawn('openssl', [...args, '-connect', `127.0.0.1:${port}`]);
    atEnd(() => void openssl.kill());
    let output = '';
    openssl.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    openssl.stdin.write('version\n');
    await until('openssl shows the answer', () => /^OK \d+\.\d+\.\d+\n$/.test(output));
  });

  it('never speaks plain text on a TLS port', async () => {
    const log: string[] = [];
    const jobServer = await start([server], { log: (_, message) => log.push(message) });
    const plain = new RawPeer(connectTcp(jobServer.port!, '127.0.0.1'));
    plain.sendText('version\n');
    expect(await plain.next()).not.toMatch(/^OK/);
    await until('the log tells', () => log.some((line) => line.includes('TLS handshake failed')));
    expect(coreOf(jobServer).traffic.refused).toEqual({ limit: 0, tls: 1, certificate: 0 });
  });

  it('does not start with certificates it cannot use, naming the file', async () => {
    for (const [certificate, key, reason] of [
      ['/no/such.pem', server.key, 'certificate cannot be read: ENOENT: no such file or directory, open '],
      [server.certificate, client.files.key, 'cannot be used: '],
      [server.key, server.key, 'cannot be used: '],
    ] as const) {
      const starting = start([{ certificate, key }]);
      await expect(starting).rejects.toBeInstanceOf(CertificateError);
      await expect(starting).rejects.toThrow(reason);
      await expect(starting).rejects.toThrow(certificate);
    }
  });

  it('demands a client certificate where one is required', async () => {
    const jobServer = await start([{ ...server, ca: authority.file, clientCertificate: 'required' }]);
    expect(await versionOf(jobServer, client)).toMatch(/^OK/);
    expect(await versionOf(jobServer, undefined)).toBe(CLOSED);
    expect(await versionOf(jobServer, stranger)).toBe(CLOSED);
    expect(coreOf(jobServer).traffic.refused).toEqual({ limit: 0, tls: 0, certificate: 2 });
  });

  it('refuses a wrong client certificate where none is needed, and tells `authorize` of a right one', async () => {
    const names: (string | undefined)[] = [];
    const jobServer = await start([{ ...server, ca: authority.file, clientCertificate: 'optional' }], {
      authorize: ({ peer }) => {
        names.push(peer.certificate?.subject['CN'] as string | undefined);
        return true;
      },
    });
    expect(await versionOf(jobServer, client)).toMatch(/^OK/);
    expect(await versionOf(jobServer, undefined)).toMatch(/^OK/);
    expect(await versionOf(jobServer, stranger)).toBe(CLOSED);
    expect(names).toEqual(['client', undefined]);
    expect(coreOf(jobServer).traffic.refused.certificate).toBe(1);
  });

  it('shows new connections the certificate that is on disk now, and keeps those there are', async () => {
    const log: string[] = [];
    const files = authority.issue('before', 'renewed').files;
    const jobServer = await start([files], { log: (_, message) => log.push(message) });
    const old = await dialTls(jobServer);
    expect(old.getPeerCertificate().subject.CN).toBe('before');
    const oldPeer = new RawPeer(old);

    authority.issue('after', 'renewed');
    jobServer.reloadCertificates();
    expect((await dialTls(jobServer)).getPeerCertificate().subject.CN).toBe('after');
    expect(await oldPeer.untilEcho()).toEqual([]);

    writeFileSync(files.key, 'half a key');
    jobServer.reloadCertificates();
    expect(log.at(-1)).toContain(
      `the certificate stays as it was: TLS: ${files.certificate} and ${files.key} cannot be used`,
    );
    expect((await dialTls(jobServer)).getPeerCertificate().subject.CN).toBe('after');
  });

  it('is refused by our client when its certificate is not trusted, and when it speaks plain text', async () => {
    const jobServer = await start(['plain', server]);
    const [plain, secure] = jobServer.addresses;
    await expect(new AdminClient({ server: secure! }).version()).rejects.toMatchObject({
      code: 'GEARMAN_CONNECT_FAILED',
    });
    await expect(new AdminClient({ server: `tls://${plain}` }).version()).rejects.toMatchObject({
      code: 'GEARMAN_CONNECT_FAILED',
    });
  });

  async function start(
    listeners: readonly ('plain' | TlsListenerOptions)[],
    options: JobServerOptions = {},
  ): Promise<JobServer> {
    const jobServer = new JobServer({
      listeners: listeners.map((tls) => (tls === 'plain' ? { port: 0 } : { port: 0, tls })),
      ...options,
    });
    await jobServer.start();
    atEnd(() => jobServer.stop());
    return jobServer;
  }

  async function dialTls(jobServer: JobServer, client?: Certificate): Promise<TLSSocket> {
    const { cert, key } = client ?? {};
    const anyName = { checkServerIdentity: () => undefined };
    const socket = connectTls({ port: jobServer.port, host: '127.0.0.1', ca: authority.ca, cert, key, ...anyName });
    atEnd(() => void socket.destroy());
    await once(socket, 'secureConnect');
    return socket;
  }

  /** The answer to `version`; with TLS 1.3 a client hears only after its handshake that its certificate is refused. */
  async function versionOf(jobServer: JobServer, client: Certificate | undefined): Promise<string> {
    const peer = new RawPeer(await dialTls(jobServer, client));
    peer.sendText('version\n');
    return peer.next();
  }
});
