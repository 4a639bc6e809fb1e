import 'reflect-metadata';
import { beforeAll, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GearmanJobServer } from 'nestjs-gearman/job-server';
import { firstValueFrom } from 'rxjs';
import { certificateAuthority, type CertificateAuthority } from '../../support/certificates.js';
import { atEnd } from '../../support/cleanup.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';

@Controller()
class TextController {
  @MessagePattern('reverse')
  reverse(@Payload() text: string): string {
    return [...text].reverse().join('');
  }
}

describeWith('openssl', 'strategy and client over TLS, where certificates are demanded', () => {
  let authority: CertificateAuthority;
  let mutual: { ca: string; cert: string; key: string; servername: string };
  let jobServer: GearmanJobServer;
  let plain: string;
  let secure: string;

  beforeAll(async () => {
    authority = certificateAuthority();
    const { cert, key } = authority.issue('worker');
    mutual = { ca: authority.ca, cert, key, servername: 'localhost' };
    const tls = { ...authority.issue('localhost').files, ca: authority.file, clientCertificate: 'required' as const };
    jobServer = new GearmanJobServer({ listeners: [{ port: 0 }, { port: 0, tls }] });
    await jobServer.start();
    atEnd(() => jobServer.onApplicationShutdown());
    [plain, secure] = jobServer.addresses as [string, string];
    await serve({ controllers: [TextController], servers: secure, tls: mutual, format: 'text' });
  });

  it('do their work', async () => {
    const client = clientOf({ servers: secure, tls: mutual, format: 'text' });
    expect(await firstValueFrom(client.send('reverse', 'Hello world!'))).toBe('!dlrow olleH');
  });

  it('go on over a change of the certificate, which newcomers are shown', async () => {
    const client = clientOf({ servers: secure, tls: mutual, format: 'text' });
    await client.connect();
    authority.issue('another', 'localhost');
    jobServer.reloadCertificates();
    const newcomer = clientOf({ servers: secure, tls: { ...mutual, servername: 'another' }, format: 'text' });
    expect(await firstValueFrom(newcomer.send('reverse', 'new'))).toBe('wen');
    expect(await firstValueFrom(client.send('reverse', 'old'))).toBe('dlo');
    authority.issue('localhost');
    jobServer.reloadCertificates();
  });

  it('say that a certificate is missing', async () => {
    const tls = { ca: authority.ca, servername: 'localhost' };
    const demand = 'it demands a certificate; give yours as `tls.cert` and `tls.key`';
    // Where the machine is busy the time may be over before the job server has said anything: then it is tried again.
    const fails = (connecting: () => Promise<unknown>): Promise<boolean> =>
      until('it is said', async () => {
        const message = await connecting().then(
          () => 'it was let in',
          (error: Error) => error.message,
        );
        return message.includes(demand);
      });
    const options = { servers: secure, tls, connectTimeout: 500 };
    await fails(() => clientOf(options).connect());
    await fails(() => serve({ controllers: [TextController], ...options }));
  });

  it('never fall back to plain text', async () => {
    const servers = `tls://${plain}`;
    await expect(clientOf({ servers, tls: mutual, connectTimeout: 500 }).connect()).rejects.toThrow();
    const serving = serve({ controllers: [TextController], servers: plain, tls: mutual, connectTimeout: 500 });
    await expect(serving).rejects.toThrow('no job server');
  });
});
