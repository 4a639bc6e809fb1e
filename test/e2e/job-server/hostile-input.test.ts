import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { JobServer, JobServerOptions } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { startListening } from '../../support/job-servers.js';
import { CLOSED, RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';
import { packetBytes, rawPacket } from '../../support/wire.js';
import { runs } from '../../support/runs.js';

let port: number;
let server: JobServer;
let log: string[];
let worker: RawPeer;
let client: RawPeer;

async function start(options: JobServerOptions = {}): Promise<void> {
  log = [];
  ({ port, server } = await startListening({ ...options, log: (level, message) => log.push(`${level} ${message}`) }));
  worker = await RawPeer.connect({ port });
  client = await RawPeer.connect({ port });
  worker.send('CAN_DO honest', 'PRE_SLEEP');
}

/** The honest peers, connected before anything bad came, still get their job done. */
async function expectOthersGoOn(): Promise<void> {
  client.send('SUBMIT_JOB honest··work');
  const handle = (await client.next()).replace('JOB_CREATED ', '');
  expect(await worker.next()).toBe('NOOP');
  worker.send('GRAB_JOB');
  expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·honest·work`);
  worker.send(`WORK_COMPLETE ${handle}·done`, 'PRE_SLEEP');
  expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·done`);
}

const warnings = (): string[] => log.filter((line) => line.startsWith('warn'));
const connect = (): Promise<RawPeer> => RawPeer.connect({ port });

describe('our job server', () => {
  beforeEach(() => start());
  afterEach(async () => {
    await expectOthersGoOn();
    await server.stop();
  });

  it.each([
    ['a wrong magic', rawPacket('\0RAQ', 1, 'f'), 'starts with \\0REQ or \\0RES'],
    ['a packet type past the last', rawPacket('\0REQ', 43, ''), 'packet types are 1 to 42, this one is 43'],
    ['a packet of 4 GiB', rawPacket('\0REQ', 7, 'reverse', 0xffffffff), 'is longer than maxPacketBytes (67108864)'],
    ['a line without end', Buffer.alloc(100_000, 'x'), 'must have at most 8192 bytes'],
    ['zeros', Buffer.alloc(10_000), 'starts with \\0REQ or \\0RES'],
  ])('closes the connection for %s, and logs why and whose', async (_what, bytes, reason) => {
    const peer = await connect();
    peer.send(bytes);
    expect(await peer.next()).toBe(CLOSED);
    expect(warnings()).toEqual([expect.stringContaining(reason)]);
    expect(warnings()[0]).toMatch(/127\.0\.0\.1:\d+/);
  });

  it('closes the connection for a TLS hello, and logs that it is one', async () => {
    const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
    expect(warnings()).toEqual([expect.stringContaining('TLS: one end speaks it and the other does not')]);
  });

  it('does nothing of what a page in a browser can have it sent', async () => {
    // As a page of any site does it: mode no-cors, and a text as body.
    const words = 'create function evil\r\n';
    const packet = packetBytes('SUBMIT_JOB_BG evil··job').toString('latin1');
    for (const body of [words, words + packet, packet]) {
      const asked = fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: Buffer.from(body, 'latin1') });
      await expect(asked).rejects.toThrow('fetch failed');
    }
    for (const head of ['GET / HTTP/1.0\n', 'POST /x?y HTTP/1.1\r\nHost: localhost\r\n\r\n']) {
      const peer = await connect();
      peer.sendText(head + words);
      expect(await peer.next()).toBe(CLOSED);
    }
    expect(coreOf(server).engine.functions.find('evil')).toBeUndefined();
    expect(warnings()).toHaveLength(5);
    for (const line of warnings()) expect(line).toMatch(/127\.0\.0\.1:\d+.*it speaks HTTP/);
  });

  it('answers a packet with too few arguments, and the connection goes on', async () => {
    const peer = await connect();
    peer.send('SUBMIT_JOB f', 'ECHO_REQ still here');
    expect(await peer.nextOnes(2)).toEqual([
      'ERROR INVALID_PACKET·SUBMIT_JOB lacks its argument unique',
      'ECHO_RES still here',
    ]);
    expect(warnings()).toEqual([expect.stringContaining('SUBMIT_JOB lacks its argument unique')]);
  });

  it('overlooks peers that vanish in the middle of a packet', async () => {
    for (let bytes = 1; bytes < 30; bytes++) {
      const peer = await connect();
      peer.send(packetBytes('SUBMIT_JOB_BG honest··half a job').subarray(0, bytes));
      if (bytes % 2) peer.end();
      else peer.destroy();
    }
    await until('they are gone', () => coreOf(server).sessions.size === 2);
    client.sendText('status\n');
    expect(await client.list()).toEqual(['honest\t0\t0\t1\n', '.\n']);
  });

  it('survives random bytes from many', async () => {
    const noise = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
      fc
        .tuple(fc.nat(44), fc.uint8Array({ maxLength: 60 }))
        .map(([type, body]) => rawPacket('\0REQ', type, Buffer.from(body))),
      fc
        .tuple(fc.nat(44), fc.nat(100), fc.uint8Array({ maxLength: 60 }))
        .map(([type, size, body]) => rawPacket('\0REQ', type, Buffer.from(body), size)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { minLength: 1, maxLength: 10 }), async (chunks) => {
        const peer = await connect();
        for (const chunk of chunks) peer.send(chunk);
        peer.end();
        while ((await peer.next()) !== CLOSED);
      }),
      runs(100),
    );
    expect(log.filter((line) => line.startsWith('error'))).toEqual([]);
  });

  it('takes as true what strangers say about jobs only where it is theirs to say', async () => {
    client.send('SUBMIT_JOB honest·u·secret');
    const handle = (await client.next()).replace('JOB_CREATED ', '');
    expect(await worker.next()).toBe('NOOP');
    worker.send('GRAB_JOB');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·honest·secret`);
    const stranger = await connect();
    for (const type of ['WORK_COMPLETE', 'WORK_DATA', 'WORK_WARNING', 'WORK_EXCEPTION']) {
      stranger.send(`${type} ${handle}·forged`);
      expect(await stranger.next()).toContain('ERROR JOB_NOT_FOUND');
    }
    stranger.send(`WORK_FAIL ${handle}`, `WORK_STATUS ${handle}·1·2`);
    expect(await stranger.nextOnes(2)).toEqual(Array(2).fill(expect.stringContaining('ERROR JOB_NOT_FOUND')));
    worker.send(`WORK_COMPLETE ${handle}·true`, 'PRE_SLEEP');
    expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·true`);
  });
});

describe('our job server with limits', () => {
  afterEach(async () => {
    await expectOthersGoOn();
    await server.stop();
  });

  it('drops a peer that asks and never reads, and logs it', async () => {
    await start({ maxSendBufferBytes: 1024 * 1024 });
    const peer = await connect();
    peer.stream.pause();
    const question = rawPacket('\0REQ', 16, Buffer.alloc(256 * 1024));
    peer.stream.on('error', () => undefined);
    await until('it is dropped', () => {
      if (coreOf(server).sessions.size > 2) peer.stream.write(question);
      return coreOf(server).sessions.size === 2;
    });
    expect(warnings()).toEqual([expect.stringContaining('1048576 bytes unread (maxSendBufferBytes)')]);
  });

  it('closes a connection that leaves a packet half sent, and logs it', async () => {
    await start({ packetTimeout: 50 });
    const [half, line, whole] = [await connect(), await connect(), await connect()];
    half.send(packetBytes('SUBMIT_JOB f··x').subarray(0, 14));
    line.sendText('stat');
    expect(await half.next()).toBe(CLOSED);
    expect(await line.next()).toBe(CLOSED);
    expect(await whole.untilEcho()).toEqual([]);
    expect(warnings()).toEqual(Array(2).fill(expect.stringContaining('(packetTimeout)')));
  });

  it('refuses more connections than maxConnections, and logs it', async () => {
    await start({ maxConnections: 3 });
    const last = await connect();
    expect(await last.untilEcho()).toEqual([]);
    const refused = await connect();
    expect(await refused.next()).toBe(CLOSED);
    expect(warnings()).toEqual([expect.stringContaining('(maxConnections)')]);
  });
});
