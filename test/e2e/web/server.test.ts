import { X509Certificate } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { certificateAuthority } from '../../support/certificates.js';
import { describeWith } from '../../support/peers.js';
import { tempDir } from '../../support/temp-dir.js';
import { startWeb } from '../../support/web-scene.js';

describe('GET /v1/server', () => {
  it('tells what the job server takes, how much it may take, and since when', async () => {
    const scene = await startWeb({ maxConnections: 7, listeners: [{ port: 0 }] });
    const before = Date.now();
    const { body } = await scene.json('GET', '/v1/server');
    expect(body).toMatchObject({
      node: process.version,
      limits: { maxConnections: 7, maxFunctions: 100_000, maxJobs: 16_000_000, maxPacketBytes: 67_108_864 },
      listening: [{ address: `127.0.0.1:${scene.server.port}` }],
    });
    expect(Math.abs(Date.parse(body.startedAt) - before)).toBeLessThan(60_000);
    expect(body.memoryBytes).toBeGreaterThan(1_000_000);
    expect(body.cpuSeconds).toBeGreaterThan(0);
    expect(body).not.toHaveProperty('storage');
  });

  it('tells how the storage does', async () => {
    const scene = await startWeb({ storage: { type: 'file', path: tempDir() } });
    await scene.ask('POST', '/v1/functions/f/jobs', { body: 'w' });
    const { storage } = (await scene.json('GET', '/v1/server')).body;
    expect(storage).toMatchObject({ kind: 'file', backlog: 0, deadLetters: 0, setAside: 0 });
    for (const number of [storage.bytes, storage.freeBytes, storage.writes]) expect(number).toBeGreaterThan(0);
  });
});

describeWith('openssl', 'GET /v1/server of a job server with TLS', () => {
  it('tells until when its certificate is valid, also once there is another one', async () => {
    const authority = certificateAuthority();
    const first = authority.issue('localhost');
    const scene = await startWeb({ listeners: [{ port: 0, tls: first.files }] });
    const until = async (): Promise<string> =>
      (await scene.json('GET', '/v1/server')).body.listening[0].certificateUntil;
    expect(Date.parse(await until())).toBe(Date.parse(new X509Certificate(first.cert).validTo));
    const second = authority.issue('localhost', 'localhost', 9);
    scene.server.reloadCertificates();
    expect(Date.parse(await until())).toBe(Date.parse(new X509Certificate(second.cert).validTo));
  });
});
