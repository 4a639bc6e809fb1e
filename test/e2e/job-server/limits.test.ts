import { describe, expect, it } from '@jest/globals';
import { JobClient, JobWorker } from 'nestjs-gearman';
import { JobServer, type JobServerOptions } from 'nestjs-gearman/job-server';
import { atEnd } from '../../support/cleanup.js';
import { CLOSED, RawPeer } from '../../support/raw-peer.js';
import { packetBytes, rawPacket } from '../../support/wire.js';
import { until } from '../../support/until.js';

const FULL = 'ERROR QUEUE_ERROR·Job queue is full';

interface Started {
  port: number;
  log: string[];
}

async function start(options: JobServerOptions): Promise<Started> {
  const log: string[] = [];
  const jobServer = new JobServer({ listeners: [{ port: 0 }], log: (_, message) => log.push(message), ...options });
  await jobServer.start();
  atEnd(() => jobServer.stop());
  return { port: jobServer.port!, log };
}

/** A peer may see the end before the job server has written why. */
const logged = (log: readonly string[], text: string): Promise<unknown> =>
  until(`the log says ${text}`, () => log.some((line) => line.includes(text)));

describe('a job server with limits', () => {
  it('refuses connections over maxConnections, says so, and accepts again once one has left', async () => {
    const { port, log } = await start({ maxConnections: 2 });
    const [one, two] = [await RawPeer.connect({ port }), await RawPeer.connect({ port })];
    await Promise.all([one.untilEcho(), two.untilEcho()]);
    expect(await (await RawPeer.connect({ port })).next()).toBe(CLOSED);
    await logged(log, '(maxConnections)');
    one.destroy();
    await until('there is room again', async () => {
      const peer = await RawPeer.connect({ port });
      peer.send('ECHO_REQ x');
      return (await peer.next()) === 'ECHO_RES x';
    });
  });

  it('drops a peer whose packet is larger than maxPacketBytes, and nobody else', async () => {
    const { port, log } = await start({ maxPacketBytes: 1_000 });
    const [greedy, other] = [await RawPeer.connect({ port }), await RawPeer.connect({ port })];
    greedy.send(`ECHO_REQ ${'x'.repeat(900)}`);
    expect(await greedy.next()).toHaveLength('ECHO_RES '.length + 900);
    greedy.send(rawPacket('\0REQ', 16, '', 4_000_000_000));
    expect(await greedy.next()).toBe(CLOSED);
    await logged(log, '(#1): closed: a packet of 4000000012 bytes');
    expect(await other.untilEcho()).toEqual([]);
  });

  it('has a job worked on that is as large as its client may send', async () => {
    const maxPacketBytes = 2_048;
    const { port } = await start({ maxPacketBytes });
    const options = { servers: `127.0.0.1:${port}`, maxPacketBytes };
    const worker = new JobWorker(options);
    atEnd(() => worker.close());
    const lengths: number[] = [];
    worker.register('length', ({ workload }) => void lengths.push(workload.length));
    await worker.start();
    const client = new JobClient(options);
    atEnd(() => client.close());
    const workload = Buffer.alloc(maxPacketBytes - packetBytes('SUBMIT_JOB_BG length·u·').length, 'x');
    await client.submitBackground({ function: 'length', unique: 'u', workload });
    await until('it was worked on', () => lengths.length > 0);
    expect(lengths).toEqual([workload.length]);
    const larger = client.submitBackground({
      function: 'length',
      unique: 'u',
      workload: Buffer.alloc(workload.length + 1),
    });
    await expect(larger).rejects.toThrow('is longer than maxPacketBytes (2048)');
  });

  it('drops a peer that leaves more than maxSendBufferBytes unread', async () => {
    const { port, log } = await start({ maxSendBufferBytes: 1_000_000 });
    const deaf = await RawPeer.connect({ port });
    deaf.stream.pause();
    // More than the kernel's own buffers hold.
    for (let count = 0; count < 100; count++) deaf.send(`ECHO_REQ ${'x'.repeat(200_000)}`);
    await logged(log, '(maxSendBufferBytes)');
  });

  it('closes a connection whose packet does not come to its end within packetTimeout', async () => {
    const { port, log } = await start({ packetTimeout: 30 });
    const [slow, idle] = [await RawPeer.connect({ port }), await RawPeer.connect({ port })];
    slow.send('ECHO_REQ whole', rawPacket('\0REQ', 16, 'half', 100));
    expect(await slow.nextOnes(2)).toEqual(['ECHO_RES whole', CLOSED]);
    await logged(log, '(packetTimeout)');
    expect(await idle.untilEcho()).toEqual([]);
  });

  it('closes a connection that says nothing within idleTimeout, not one that waits for a job', async () => {
    const { port, log } = await start({ idleTimeout: 30 });
    // On a busy machine one may be closed before what it says is read: another one is faster.
    const worker = await until('a worker has said what it does', async () => {
      const peer = await RawPeer.connect({ port });
      peer.send('CAN_DO f', 'PRE_SLEEP', 'ECHO_REQ said');
      return (await peer.next()) === CLOSED ? undefined : peer;
    });
    const silent = await RawPeer.connect({ port });
    expect(await silent.next()).toBe(CLOSED);
    await logged(log, '(idleTimeout)');
    expect(await worker.untilEcho()).toEqual([]);
  });

  it('refuses jobs over a function’s queue length, by priority, and over maxJobs', async () => {
    const { port } = await start({ maxQueue: [3, 2, 1], maxJobs: 4 });
    const client = await RawPeer.connect({ port });
    client.send('SUBMIT_JOB_LOW_BG f··1', 'SUBMIT_JOB_LOW_BG f··2', 'SUBMIT_JOB_BG f··2', 'SUBMIT_JOB_BG f··3');
    client.send('SUBMIT_JOB_HIGH_BG f··3', 'SUBMIT_JOB_HIGH_BG f··4', 'SUBMIT_JOB_LOW_BG g··1', 'SUBMIT_JOB_BG g··2');
    const isCreated = (await client.nextOnes(8)).map((answer) => (answer === FULL ? 'full' : answer.split(' ')[0]));
    const [created, full] = ['JOB_CREATED', 'full'];
    expect(isCreated).toEqual([created, full, created, full, created, full, created, full]);
  });

  it('refuses functions over maxFunctions, to workers and to clients', async () => {
    const { port } = await start({ maxFunctions: 1 });
    const peer = await RawPeer.connect({ port });
    peer.send('CAN_DO f', 'CAN_DO g', 'SUBMIT_JOB_BG g··', 'SUBMIT_JOB_BG f··');
    const refusal = 'ERROR QUEUE_ERROR·Too many functions; raise maxFunctions or drop some';
    expect(await peer.nextOnes(3)).toEqual([refusal, refusal, expect.stringMatching(/^JOB_CREATED/)]);
  });

  it('gives a worker no more than maxRunningPerWorker jobs at once', async () => {
    const { port } = await start({ maxRunningPerWorker: 2 });
    const peer = await RawPeer.connect({ port });
    peer.send('CAN_DO f', 'SUBMIT_JOB_BG f··1', 'SUBMIT_JOB_BG f··2', 'SUBMIT_JOB_BG f··3');
    await peer.nextOnes(3);
    peer.send('GRAB_JOB', 'GRAB_JOB', 'GRAB_JOB');
    const [first, , third] = await peer.nextOnes(3);
    expect(third).toBe('NO_JOB');
    peer.send(`WORK_COMPLETE ${/H:[^·]*/.exec(first!)![0]}·`, 'GRAB_JOB');
    expect(await peer.next()).toMatch(/^JOB_ASSIGN .*·3$/);
  });
});
