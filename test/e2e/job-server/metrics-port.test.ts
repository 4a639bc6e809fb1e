import { spawnSync } from 'node:child_process';
import { connect } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { runCommand, startJobServerCommand } from '../../support/command.js';
import { accepts, freePort } from '../../support/free-port.js';
import { describeWith } from '../../support/peers.js';
import { requestText, sayHttp, statusesOf } from '../../support/raw-http.js';
import { RawPeer } from '../../support/raw-peer.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';

/** A job server that tells its metrics, and how to ask for them. */
async function startMeasured(...args: string[]) {
  const metricsPort = await freePort();
  const server = await startJobServerCommand(['--metrics-port', `${metricsPort}`, ...args]);
  // It listens there a moment after it listens for peers.
  await until('the metrics port is open', () => accepts(metricsPort));
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${metricsPort}${path}`, init);
  return { server, metricsPort, get };
}

/** Submits a job of a function whose name is these bytes. */
async function submitBytes(peer: RawPeer, name: Buffer): Promise<void> {
  const body = Buffer.concat([name, Buffer.from('\0\0x')]);
  const head = Buffer.from('\0REQ\0\0\0\x12\0\0\0\0', 'latin1');
  head.writeUInt32BE(body.length, 8);
  peer.sendText(Buffer.concat([head, body]).toString('latin1'));
  expect(await peer.next()).toMatch(/^JOB_CREATED/);
}

describe('nestjs-gearman job-server --metrics-port', () => {
  it('answers /metrics, /healthz and /readyz, and nothing else', async () => {
    const { server, get } = await startMeasured();
    const peer = await RawPeer.connect(server);
    await submitBytes(peer, Buffer.from('f'));
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(await metrics.text()).toContain('\ngearman_jobs_waiting{function="f"} 1\n');
    for (const path of ['/healthz', '/readyz']) expect(await (await get(path)).text()).toBe('ok\n');
    for (const path of ['/', '/metrics/', '/favicon.ico', '//metrics']) expect((await get(path)).status).toBe(404);
    const post = await get('/metrics', { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await get('/metrics', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('tells nothing to a page whose name was made to point here, on a port for this machine alone', async () => {
    const { metricsPort } = await startMeasured();
    const statusFor = async (path: string, host: string, version = '1.1'): Promise<number> => {
      const head = `GET ${path} HTTP/${version}\r\n${host}Connection: close\r\n\r\n`;
      return statusesOf(await sayHttp(metricsPort, head))[0]!;
    };
    for (const host of ['localhost', `127.0.0.1:${metricsPort}`, '[::1]:9418', 'LOCALHOST:1']) {
      expect(await statusFor('/metrics', `Host: ${host}\r\n`)).toBe(200);
    }
    for (const host of ['evil.example', `evil.example:${metricsPort}`, '', '10.1.2.3', 'localhost.evil.example']) {
      expect(await statusFor('/metrics', `Host: ${host}\r\n`)).toBe(421);
    }
    // Load balancers ask like this, and hear a word.
    expect(await statusFor('/readyz', 'Host: jobs-1\r\n')).toBe(200);
    expect(await statusFor('/metrics', '', '1.0')).toBe(200);
    const measured = await startMeasured('--metrics-listen', '0.0.0.0');
    const answer = await sayHttp(measured.metricsPort, requestText('GET /metrics', { Host: 'jobs-1:9418' }));
    expect(statusesOf(answer)).toEqual([200]);
    expect(answer).toMatch(/^X-Content-Type-Options: nosniff\r$/m);
    expect(answer).toMatch(/^Content-Security-Policy: default-src 'none'/m);
  });

  it('is not ready while the job server ends, and is still healthy', async () => {
    const { server, get } = await startMeasured('--grace-period', '60s');
    const [client, worker] = [await RawPeer.connect(server), await RawPeer.connect(server)];
    worker.send('CAN_DO f', 'ALL_YOURS', 'GRAB_JOB');
    client.send('SUBMIT_JOB f··x');
    const handle = (await client.next()).split(' ')[1]!;
    expect(await worker.next()).toMatch(/^JOB_ASSIGN/);
    process.kill(server.pid, 'SIGTERM');
    // It answers the client's next submission only once it ends.
    for (let answer = ''; !answer.startsWith('ERROR'); answer = await client.next()) client.send('SUBMIT_JOB f·u·x');
    const ready = await get('/readyz');
    expect([ready.status, await ready.text()]).toEqual([503, 'The job server is ending.\n']);
    expect((await get('/healthz')).status).toBe(200);
    worker.send(`WORK_COMPLETE ${handle}·`);
    expect(await server.stop()).toBe(0);
  });

  it('is not held up, nor holds up the end, by who says nothing or reads nothing', async () => {
    const { server, metricsPort, get } = await startMeasured();
    for (let number = 0; number < 10; number++) {
      const socket = connect(metricsPort, '127.0.0.1');
      socket.on('error', () => undefined).write(number % 2 ? 'GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n' : 'GET /met');
      socket.pause();
    }
    expect((await get('/metrics')).status).toBe(200);
    expect(await server.stop()).toBe(0);
  });

  it('ends a connection that asks again and again without waiting for answers', async () => {
    const { metricsPort, get } = await startMeasured();
    const socket = connect(metricsPort, '127.0.0.1');
    let answers = '';
    socket.on('error', () => undefined).on('data', (part) => (answers += part.toString('latin1')));
    socket.write('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(1_000));
    // An 'error' may come first: what was written may be reset.
    await new Promise((resolve) => socket.once('close', resolve));
    expect(answers.split('HTTP/1.1 200').length - 1).toBeLessThan(1_000);
    expect((await get('/metrics')).status).toBe(200);
  });

  it('answers those who ask at the same time with the same text', async () => {
    const { get } = await startMeasured();
    const texts = await Promise.all(Array.from({ length: 8 }, async () => (await get('/metrics')).text()));
    for (const text of texts) expect(text).toMatch(/^# HELP[^]*\n$/);
  });

  it('says which port it cannot have, and does not start', async () => {
    const { metricsPort } = await startMeasured();
    const outcome = await runCommand(['job-server', '-p', `${await freePort()}`, '--metrics-port', `${metricsPort}`]);
    expect(outcome.code).toBe(1);
    expect(outcome.stderr).toContain(`--metrics-port ${metricsPort}: `);
    const needy = await runCommand(['job-server', '--metrics-listen', '127.0.0.1']);
    expect([needy.code, needy.stderr]).toEqual([1, expect.stringContaining('--metrics-listen needs --metrics-port')]);
  });
});

describeWith('prometheus', 'what promtool says of the metrics', () => {
  it('is nothing, whatever functions are called', async () => {
    const { server, get } = await startMeasured('-q', 'file', '--queue-path', tempDir());
    const peer = await RawPeer.connect(server);
    const names = ['a"b\\c\nd', '🦄', '<img onerror>', 'x'.repeat(500)].map((name) => Buffer.from(name));
    for (const name of [...names, Buffer.from([0xff])]) await submitBytes(peer, name);
    const input = await (await get('/metrics')).text();
    for (const label of ['a\\"b\\\\c\\nd', '🦄', '<img onerror>', `${'x'.repeat(119)}~`, '\\\\xff']) {
      expect(input).toContain(`gearman_jobs{function="${label}`);
    }
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input, encoding: 'utf8' });
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });
});
