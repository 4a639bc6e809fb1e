import { once } from 'node:events';
import { join } from 'node:path';
import { connect, createServer, type Server } from 'node:net';
import { renameSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { JobServer, type AccessRequest, type JobServerOptions } from 'nestjs-gearman/job-server';
import { atEnd } from '../../support/cleanup.js';
import { RawPeer } from '../../support/raw-peer.js';
import { tempDir } from '../../support/temp-dir.js';

const DENIED = 'ERROR ACCESS_DENIED·This job server does not allow it';
const ADMIN_DENIED = 'ERR ACCESS_DENIED This+job+server+does+not+allow+it\r\n';

async function start(options: JobServerOptions): Promise<JobServer> {
  const jobServer = new JobServer({ listeners: [{ port: 0 }], ...options });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return jobServer;
}

const portOf = (address: string): { port: number } => ({ port: Number(address.split(':').at(-1)) });

describe('the hook `authorize`', () => {
  it('is asked who wants to do what, and its "no" is answered with an error', async () => {
    const asked: AccessRequest[] = [];
    const jobServer = await start({
      authorize: (request) => {
        asked.push(request);
        return request.function === 'open' || request.clientId === 'friend';
      },
    });
    const peer = await RawPeer.connect({ port: jobServer.port! });
    peer.send('CAN_DO secret', 'SUBMIT_JOB_BG secret··x', 'GET_STATUS H:unknown:1');
    expect(await peer.nextOnes(3)).toEqual([DENIED, DENIED, DENIED]);
    peer.sendText('status\n');
    expect(await peer.next()).toBe(ADMIN_DENIED);
    expect(asked).toMatchObject([
      { action: 'work', function: 'secret', clientId: '-', peer: { address: '127.0.0.1' } },
      { action: 'submit', function: 'secret' },
      { action: 'status' },
      { action: 'admin' },
    ]);

    peer.send('CAN_DO open', 'SUBMIT_JOB_BG open··x', 'SET_CLIENT_ID friend', 'SUBMIT_JOB_BG secret··x');
    const created = expect.stringMatching(/^JOB_CREATED/);
    expect(await peer.nextOnes(2)).toEqual([created, created]);
    peer.sendText('status\n');
    expect(await peer.list()).toEqual(['open\t1\t0\t1\n', 'secret\t1\t0\t0\n', '.\n']);
  });

  it('fails closed: when it throws, the answer is no and the job server goes on', async () => {
    const jobServer = await start({
      authorize: ({ function: name }) => {
        if (name === 'bomb') throw new Error('the directory is away');
        return true;
      },
    });
    const [one, other] = [
      await RawPeer.connect({ port: jobServer.port! }),
      await RawPeer.connect({ port: jobServer.port! }),
    ];
    one.send('SUBMIT_JOB_BG bomb··x');
    expect(await one.next()).toBe('ERROR ACCESS_DENIED·This job server does not allow it');
    expect(await other.untilEcho()).toEqual([]);
  });
});

describe('admin words', () => {
  it('can have a port of their own', async () => {
    const jobServer = await start({
      listeners: [
        { port: 0, admin: 'refused' },
        { port: 0, admin: 'only' },
      ],
    });
    const [work, admin] = await Promise.all(jobServer.addresses.map((address) => RawPeer.connect(portOf(address))));
    for (const peer of [work!, admin!]) peer.sendText('version\n');
    expect(await work!.next()).toBe(ADMIN_DENIED);
    expect(await admin!.next()).toMatch(/^OK /);
    expect(await work!.untilEcho()).toEqual([]);
    admin!.send('SUBMIT_JOB_BG f··x');
    expect(await admin!.next()).toBe(DENIED);
  });

  it('can be confined to this machine', async () => {
    const path = join(tempDir(), 'gearman.sock');
    const jobServer = await start({
      listeners: [
        { port: 0, admin: 'loopback' },
        { path, admin: 'loopback' },
      ],
    });
    const near = [new RawPeer(connect(jobServer.port!, '127.0.0.1')), new RawPeer(connect(path))];
    for (const peer of near) {
      peer.sendText('version\n');
      expect(await peer.next()).toMatch(/^OK /);
    }
  });
});

describe('a stranger', () => {
  it('cannot finish, fail or report about a job that another worker runs', async () => {
    const jobServer = await start({});
    const [client, worker, stranger] = await Promise.all(
      [1, 2, 3].map(() => RawPeer.connect({ port: jobServer.port! })),
    );
    client!.send('SUBMIT_JOB f··x');
    const handle = (await client!.next()).split(' ')[1];
    for (const peer of [worker!, stranger!]) peer.send('CAN_DO f');
    worker!.send('GRAB_JOB');
    await worker!.next();
    stranger!.send(`WORK_DATA ${handle}·1`, `WORK_WARNING ${handle}·1`, `WORK_STATUS ${handle}·1·2`);
    stranger!.send(`WORK_EXCEPTION ${handle}·1`, `WORK_FAIL ${handle}`, `WORK_COMPLETE ${handle}·forged`);
    for (const answer of await stranger!.nextOnes(6)) expect(answer).toMatch(/^ERROR JOB_NOT_FOUND·/);
    worker!.send(`WORK_COMPLETE ${handle}·genuine`);
    expect(await client!.next()).toBe(`WORK_COMPLETE ${handle}·genuine`);
  });
});

describe('a unix socket', () => {
  it('is taken over from a job server that left it behind, and from nobody else', async () => {
    const directory = tempDir();
    const path = join(directory, 'gearman.sock');
    const crashed = createServer().listen(path);
    await once(crashed, 'listening');
    await expect(start({ listeners: [{ path }] })).rejects.toMatchObject({ systemCode: 'EADDRINUSE' });
    await leaveBehind(path, crashed);

    const jobServer = await start({ listeners: [{ path }] });
    expect(await new RawPeer(connect(path)).untilEcho()).toEqual([]);
    await jobServer.stop();

    const file = join(directory, 'precious');
    writeFileSync(file, 'not a socket');
    await expect(start({ listeners: [{ path: file }] })).rejects.toMatchObject({ systemCode: 'EADDRINUSE' });
  });
});

/** Ends a server as a crash would: its socket stays. */
async function leaveBehind(path: string, server: Server): Promise<void> {
  renameSync(path, `${path}.kept`);
  server.close();
  await once(server, 'close');
  renameSync(`${path}.kept`, path);
}
