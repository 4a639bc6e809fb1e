import { jest, describe, expect, it } from '@jest/globals';
import type { AccessRequest } from 'nestjs-gearman/job-server';
import { coreOf } from '../../../../lib/job-server/core-of.js';
import { MemoryStorage, type Adder, type JobRecord, type StoredJob } from '../../../../lib/job-server/storage/index.js';
import { startFront, submit } from '../../../support/front.js';
import { CLOSED } from '../../../support/raw-peer.js';
import { until } from '../../../support/until.js';
import { rawPacket } from '../../../support/wire.js';

const DENIED = 'ERROR ACCESS_DENIED·This job server does not allow it';
const ADMIN_DENIED = 'ERR ACCESS_DENIED This+job+server+does+not+allow+it\r\n';

describe('where admin words are', () => {
  it('refused, packets are answered all the same', async () => {
    const { peer } = (await startFront()).session('refused');
    peer.sendText('status\n');
    expect(await peer.untilEcho()).toEqual([ADMIN_DENIED]);
  });

  it('all there is, packets are refused', async () => {
    const { peer } = (await startFront()).session('only');
    peer.send('SUBMIT_JOB f··', 'ECHO_REQ x');
    peer.sendText('getpid\n');
    expect(await peer.nextOnes(3)).toEqual([DENIED, DENIED, `OK ${process.pid}\n`]);
  });
});

describe('authorize', () => {
  it('is asked for each action, with the function and who asks', async () => {
    const asked: AccessRequest[] = [];
    const front = await startFront({ authorize: (request) => asked.push(request) > 0 });
    const peer = front.peer();
    peer.send('SET_CLIENT_ID me', 'CAN_DO f', 'SUBMIT_JOB_BG g··', 'GET_STATUS H:1', 'GET_STATUS_UNIQUE u');
    peer.sendText('status\n');
    await peer.nextOnes(5);
    const info = { address: 'in-process', admin: 'allowed' };
    expect(asked).toEqual([
      { action: 'work', function: 'f', clientId: 'me', peer: info },
      { action: 'submit', function: 'g', clientId: 'me', peer: info },
      { action: 'status', function: undefined, clientId: 'me', peer: info },
      { action: 'status', function: undefined, clientId: 'me', peer: info },
      { action: 'admin', function: undefined, clientId: 'me', peer: info },
    ]);
  });

  it('says no, and nothing happens', async () => {
    const front = await startFront({ authorize: () => false });
    const peer = front.peer();
    peer.send('CAN_DO f', 'CAN_DO_TIMEOUT f·5000', 'SUBMIT_JOB f··', 'SUBMIT_JOB_EPOCH f··1·', 'GET_STATUS H:1');
    peer.sendText('status\n');
    expect(await peer.untilEcho()).toEqual([DENIED, DENIED, DENIED, DENIED, DENIED, ADMIN_DENIED]);
    expect([...coreOf(front.server).engine.functions]).toEqual([]);
  });

  it('throws: that is a no, and is logged; the connection goes on', async () => {
    const front = await startFront({
      authorize: ({ action }) => {
        if (action === 'status') return true;
        throw new Error('no database');
      },
    });
    const peer = front.peer();
    peer.send('CAN_DO f', 'SUBMIT_JOB f··', 'GET_STATUS H:1');
    peer.sendText('status\n');
    expect(await peer.untilEcho()).toEqual([DENIED, DENIED, 'STATUS_RES H:1·0·0·0·0', ADMIN_DENIED]);
    expect(front.log).toContain('error: authorize threw, so the answer is no: Error: no database');
  });

  it('answers with a promise: that is a no, as nobody waits for it', async () => {
    const late = async ({ action }: AccessRequest): Promise<boolean> => {
      if (action === 'submit') throw new Error('no database');
      return true;
    };
    const front = await startFront({ authorize: late as never });
    const peer = front.peer();
    peer.send('CAN_DO f', 'SUBMIT_JOB f··');
    expect(await peer.untilEcho()).toEqual([DENIED, DENIED]);
    const line =
      'error: authorize threw, so the answer is no: Error: it must answer true or false at once, not by a promise';
    expect(front.log).toEqual([line, line]);
  });
});

describe('a listener of an event that throws', () => {
  it('is logged and disturbs nobody', async () => {
    const front = await startFront();
    for (const event of ['submitted', 'assigned', 'completed', 'workerJoined', 'workerLeft'] as const) {
      front.server.on(event, () => {
        throw new Error(`no ${event}`);
      });
    }
    const [client, worker] = [front.peer(), front.peer()];
    worker.send('CAN_DO f', 'ALL_YOURS', 'GRAB_JOB');
    expect(await worker.untilEcho()).toEqual([]);
    const handle = await submit(client, 'SUBMIT_JOB f··work');
    expect(await worker.next()).toBe(`JOB_ASSIGN ${handle}·f·work`);
    worker.send(`WORK_COMPLETE ${handle}·done`, 'RESET_ABILITIES');
    expect(await client.next()).toBe(`WORK_COMPLETE ${handle}·done`);
    expect(await worker.untilEcho()).toEqual([]);
    expect(front.log.filter((line) => line.startsWith('error'))).toEqual(
      ['workerJoined', 'submitted', 'assigned', 'completed', 'workerLeft'].map(
        (event) => `error: a listener of '${event}' threw: Error: no ${event}`,
      ),
    );
  });
});

describe('maxConnections', () => {
  it('bounds the connections at one time; the one too many is closed and logged', async () => {
    const front = await startFront({ maxConnections: 2 });
    const [one, other] = [front.peer(), front.peer()];
    const third = front.peer();
    expect(await third.next()).toBe(CLOSED);
    expect(front.log.at(-1)).toBe('warn: in-process: refused: 2 connections are open (maxConnections)');
    expect(await one.untilEcho()).toEqual([]);
    other.destroy();
    expect(await other.next()).toBe(CLOSED);
    await one.untilEcho();
    expect(await front.peer().untilEcho()).toEqual([]);
  });
});

describe('stalled connections', () => {
  const limits = { packetTimeout: 60_000, idleTimeout: 30_000 };
  const half = rawPacket('\0REQ', 16, 'half').subarray(0, 14);
  /** Whole milliseconds: of fractions, `start + 60_000 - start` is less than 60,000 one time in seven. */
  const wholeNow = () => Math.ceil(performance.now());

  it('that leave a packet unfinished for packetTimeout are closed', async () => {
    const front = await startFront();
    const { peer, session } = front.session('allowed');
    peer.send('ECHO_REQ whole', half);
    expect(await peer.next()).toBe('ECHO_RES whole');
    const start = wholeNow();
    session.closeIfStalled(start, limits);
    session.closeIfStalled(start + 59_999, limits);
    expect(session.connection.writable).toBe(true);
    session.closeIfStalled(start + 60_000, limits);
    expect(await peer.next()).toBe(CLOSED);
    // The peer may hear of its end before the job server does.
    const why = 'a packet did not come to its end in time (packetTimeout)';
    await until('why is logged', () => front.log.at(-1)?.includes(why));
  });

  it('that finish their packets stay, however long they are silent in between', async () => {
    const { peer, session } = (await startFront()).session('allowed');
    const start = wholeNow();
    peer.send('CAN_DO f', 'ECHO_REQ 1');
    await peer.next();
    for (let hours = 1; hours < 10; hours++) session.closeIfStalled(start + hours * 3_600_000, limits);
    peer.send(half);
    session.closeIfStalled(start + 10 * 3_600_000, limits);
    expect(session.connection.writable).toBe(true);
  });

  it('that registered and submitted nothing are closed after idleTimeout', async () => {
    const front = await startFront();
    const [silent, curious] = [front.session('allowed'), front.session('allowed')];
    const start = wholeNow();
    curious.peer.send('ECHO_REQ x', 'GET_STATUS H:x:1');
    await curious.peer.nextOnes(2);
    for (const { session } of [silent, curious]) session.closeIfStalled(start, limits);
    for (const { session } of [silent, curious]) session.closeIfStalled(start + 29_000, limits);
    expect([silent, curious].map(({ session }) => session.connection.writable)).toEqual([true, true]);
    for (const { peer, session } of [silent, curious]) {
      session.closeIfStalled(start + 31_000, limits);
      expect(await peer.next()).toBe(CLOSED);
      expect(front.log.at(-1)).toContain('closed: said nothing for 30000 ms (idleTimeout)');
    }
  });

  it('that registered a function or submitted a job stay, however long they are silent', async () => {
    const front = await startFront();
    const [worker, client] = [front.session('allowed'), front.session('allowed')];
    worker.peer.send('CAN_DO f', 'CANT_DO f');
    client.peer.send('SUBMIT_JOB_BG f··');
    await worker.peer.untilEcho();
    await client.peer.next();
    for (const { session } of [worker, client]) {
      for (const hours of [0, 1, 2, 3]) session.closeIfStalled(Date.now() + hours * 3_600_000, limits);
      expect(session.connection.writable).toBe(true);
    }
  });

  it('are left alone where the limits are 0', async () => {
    const front = await startFront();
    const [silent, partial] = [front.session('allowed'), front.session('allowed')];
    partial.peer.send('ECHO_REQ 1', half);
    await partial.peer.next();
    for (const { session } of [silent, partial]) {
      for (const at of [0, 1e12, 2e12]) session.closeIfStalled(Date.now() + at, { packetTimeout: 0, idleTimeout: 0 });
      expect(session.connection.writable).toBe(true);
    }
  });

  it('are looked for by the job server itself', async () => {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    try {
      const front = await startFront({ idleTimeout: 20_000, packetTimeout: 40_000 });
      const [silent, partial, good] = [front.peer(), front.peer(), front.peer()];
      const ended = (peer: { stream: { destroyed: boolean } }): boolean => peer.stream.destroyed;
      partial.send(half);
      good.send('CAN_DO f', 'ECHO_REQ x');
      expect(await good.next()).toBe('ECHO_RES x');
      jest.advanceTimersByTime(15_000);
      await good.untilEcho();
      expect([silent, partial, good].map(ended)).toEqual([false, false, false]);
      jest.advanceTimersByTime(10_000);
      await good.untilEcho();
      expect([silent, partial, good].map(ended)).toEqual([true, false, false]);
      jest.advanceTimersByTime(20_000);
      await good.untilEcho();
      expect([silent, partial, good].map(ended)).toEqual([true, true, false]);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('a peer that ends its side', () => {
  it('is answered what it asked before, also what waits for the disk', async () => {
    let release = (): void => {};
    class SlowStorage extends MemoryStorage {
      override add(job: JobRecord, lease: boolean, adder: Adder): boolean {
        const stored = (existing?: StoredJob): void => void (release = () => adder.stored(existing));
        return super.add(job, lease, { stored, refused: (error) => adder.refused(error) });
      }
    }
    const front = await startFront({ storage: new SlowStorage() });
    const client = front.peer();
    client.send('SUBMIT_JOB_BG f··work', 'ECHO_REQ x');
    client.end();
    await front.peer().untilEcho();
    release();
    expect(await client.nextOnes(3)).toEqual([expect.stringMatching(/^JOB_CREATED H:/), 'ECHO_RES x', CLOSED]);
  });

  it('is a client that left: its queued job is given to nobody', async () => {
    const front = await startFront();
    const [client, worker] = [front.peer(), front.peer()];
    await submit(client, 'SUBMIT_JOB f··work');
    client.end();
    expect(await client.next()).toBe(CLOSED);
    // It hears the end before the job server has seen all of it.
    await until('it has left', () => coreOf(front.server).sessions.size === 1);
    worker.send('CAN_DO f', 'GRAB_JOB');
    expect(await worker.next()).toBe('NO_JOB');
  });
});

describe('a peer that does not read', () => {
  it('is dropped with a logged reason; the others go on', async () => {
    const front = await startFront({ maxSendBufferBytes: 1024 * 1024 });
    const [deaf, worker, other] = [front.peer(), front.peer(), front.peer()];
    const handle = await submit(deaf, 'SUBMIT_JOB f··');
    deaf.stream.pause();
    worker.send('CAN_DO f', 'GRAB_JOB');
    await worker.next();
    for (let megabyte = 0; megabyte < 4; megabyte++) worker.send(`WORK_DATA ${handle}·${'x'.repeat(1024 * 1024)}`);
    expect(await worker.untilEcho()).toEqual([]);
    expect(await other.untilEcho()).toEqual([]);
    expect(front.log.join('\n')).toContain('left more than 1048576 bytes unread (maxSendBufferBytes)');
  });
});
