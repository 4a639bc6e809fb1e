import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { parseAddress } from '../../../lib/connection/index.js';
import { Link, type LinkSettings } from '../../../lib/driver/link.js';
import { PacketType } from '../../../lib/protocol/index.js';
import { FakeJobServer } from '../../support/fake-job-server.js';
import { CLOSED } from '../../support/raw-peer.js';
import { settled, turnsUntil } from '../../support/turns.js';

const SETTINGS: LinkSettings = {
  connectTimeout: 1_000,
  reconnect: { initialDelay: 100, maxDelay: 400, factor: 2, jitter: 0 },
  heartbeatInterval: 5_000,
  heartbeatTimeout: 2_000,
  maxPacketBytes: 1_024,
  maxSendBufferBytes: 1_024 * 1_024,
};

const HEARTBEAT = '·nestjs-gearman heartbeat';

/** Lets time pass, and what is due happen. */
async function pass(milliseconds: number): Promise<void> {
  jest.advanceTimersByTime(milliseconds);
  await settled();
}

/** A link to a fake job server, and what its owner was told. */
function open(settings: Partial<LinkSettings> = {}) {
  const server = new FakeJobServer();
  const heard: string[] = [];
  const link: Link = new Link(
    parseAddress(server),
    { ...SETTINGS, ...settings },
    {
      greet: () => link.send(PacketType.OPTION_REQ, ['exceptions']),
      greeted: (packet) => heard.push(`greeted ${packet.name}`),
      ready: () => heard.push('ready'),
      packet: (packet) => heard.push(packet.name),
      drained: () => {},
      lost: (reason) => heard.push(`lost: ${reason.message}`),
      retrying: (reason, delay) => heard.push(`retry in ${delay}: ${reason.message}`),
    },
  );
  link.open();
  const hears = (what: string) =>
    turnsUntil(`the owner hears ${what}`, () => heard.some((each) => each.startsWith(what)));
  const isReady = () => turnsUntil('the link is ready', () => link.isReady);
  const isLost = () => turnsUntil('the link is lost', () => !link.isReady);
  return { server, link, heard, hears, isReady, isLost };
}

function withFakeTimers(): void {
  beforeEach(() => void jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] }));
  afterEach(() => void jest.useRealTimers());
}

describe('a link', () => {
  withFakeTimers();

  it('is ready once its greeting is answered, and not before', async () => {
    const { server, link, heard, hears } = open();
    const peer = await server.accept();
    expect(await peer.nextOnes(2)).toEqual(['OPTION_REQ exceptions', 'ECHO_REQ ·nestjs-gearman greeting']);
    peer.send('OPTION_RES exceptions');
    await hears('greeted OPTION_RES');
    expect(link.isReady).toBe(false);
    peer.send('ECHO_RES ·nestjs-gearman greeting', 'NOOP');
    await hears('NOOP');
    expect(heard).toEqual(['greeted OPTION_RES', 'ready', 'NOOP']);
    await link.close();
    expect(await peer.next()).toBe(CLOSED);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('gives up a greeting that is not answered in time', async () => {
    const { server, link, hears } = open();
    const peer = await server.accept();
    await peer.nextOnes(2);
    await pass(1_000);
    await hears(
      'retry in 100: cannot connect to the job server fake: connected, but no answer within 1000 ms (connectTimeout)',
    );
    expect(await peer.next()).toBe(CLOSED);
    await link.close();
  });

  it.each([
    ['text', 'HTTP/1.1 400 Bad Request\r\n', 'the peer speaks text'],
    ['another magic', Buffer.from('\0BAD________'), 'a packet starts with'],
  ])('says so when what answers is no job server: %s', async (_, bytes, problem) => {
    const { server, link, heard, hears } = open();
    const peer = await server.accept();
    peer.stream.write(bytes);
    await hears('retry');
    expect(heard[0]).toContain(problem);
    expect(heard[0]).toContain('is it a Gearman job server');
    await link.close();
  });

  it('waits longer after every failure, and tries for ever', async () => {
    const { server, link, heard, hears } = open();
    server.isDown = true;
    (await server.accept()).destroy();
    for (const delay of [100, 200, 400, 400]) {
      await hears('retry');
      await pass(delay);
    }
    const delays = heard.map((what) => what.match(/^retry in (\d+)/)?.[1]);
    expect(delays).toEqual(['100', '200', '400', '400', '400']);
    server.isDown = false;
    await pass(400);
    await server.welcome();
    await hears('ready');
    expect(link.lastError).toBeUndefined();
    await link.close();
  });

  it('tells that it was lost, and is made again', async () => {
    const { server, link, heard, hears } = open();
    const { peer } = await server.welcome();
    await hears('ready');
    peer.end();
    const lost = 'the connection to the job server fake was lost: it closed the connection';
    await hears(`retry in 100: ${lost}`);
    expect(heard).toEqual(['ready', `lost: ${lost}`, `retry in 100: ${lost}`]);
    await pass(100);
    const again = await server.welcome();
    expect(again.packets).toEqual(['OPTION_REQ exceptions']);
    await link.close();
  });

  it('waits little again only after a connection that stood for a while', async () => {
    const { server, link, heard, isReady, isLost } = open();
    const losses = () => heard.flatMap((what) => what.match(/^retry in (\d+)/)?.[1] ?? []);
    for (const stood of [0, 0, 401, 0]) {
      const { peer } = await server.welcome();
      await isReady();
      await pass(stood);
      peer.end();
      await isLost();
      await pass(400);
    }
    expect(losses()).toEqual(['100', '200', '100', '200']);
    await link.close();
  });

  it('ends a connection on a packet larger than it takes', async () => {
    const { server, link, heard, isReady, isLost } = open();
    const { peer } = await server.welcome();
    await isReady();
    peer.send(`ECHO_RES ${'x'.repeat(2_000)}`);
    await isLost();
    expect(heard[1]).toContain('is longer than maxPacketBytes (1024)');
    await link.close();
  });

  it('closes also when the job server does not end its side', async () => {
    const { server, link, hears } = open();
    const { peer } = await server.welcome();
    await hears('ready');
    peer.stream.allowHalfOpen = true;
    peer.stream.pause();
    let isOver = false;
    const over = link.close().then(() => (isOver = true));
    await pass(999);
    expect(isOver).toBe(false);
    await pass(1);
    await over;
  });

  it('closed while it waits or connects, it leaves nothing behind', async () => {
    for (const isDown of [true, false]) {
      const { server, link, heard, hears } = open();
      server.isDown = isDown;
      const peer = await server.accept();
      if (isDown) peer.destroy();
      if (isDown) await hears('retry');
      const told = heard.length;
      await link.close();
      await pass(10_000);
      expect(heard.length).toBe(told);
      expect(jest.getTimerCount()).toBe(0);
    }
  });
});

describe("a link's heartbeat", () => {
  withFakeTimers();

  it('asks for an ECHO every interval, which its owner does not see', async () => {
    const { server, link, heard, isReady } = open();
    const { peer } = await server.welcome();
    await isReady();
    for (let beat = 0; beat < 3; beat++) {
      await pass(5_000);
      expect(await peer.next()).toBe(`ECHO_REQ ${HEARTBEAT}`);
      peer.send(`ECHO_RES ${HEARTBEAT}`);
      await pass(2_000);
    }
    expect(heard).toEqual(['ready']);
    await link.close();
  });

  it('notices a job server that says nothing within interval and timeout', async () => {
    const { server, link, heard, isReady, isLost } = open();
    await server.welcome();
    await isReady();
    await pass(6_999);
    expect(link.isReady).toBe(true);
    await pass(1);
    await isLost();
    expect(heard[1]).toBe(
      'lost: the connection to the job server fake was lost: its answer to an ECHO took longer than 2000 ms (heartbeatTimeout)',
    );
    await link.close();
  });

  it('takes any bytes for a sign of life, also a part of a packet', async () => {
    const { server, link, isReady } = open();
    const { peer } = await server.welcome();
    await isReady();
    await pass(6_000);
    peer.stream.write(Buffer.from('\0RES'));
    await pass(3_000);
    expect(link.isReady).toBe(true);
    await link.close();
  });

  it('takes it for a sign of life that a slow reader reads, and only that', async () => {
    const { server, link, isReady, isLost } = open();
    const { peer } = await server.welcome();
    await isReady();
    peer.stream.pause();
    for (let part = 0; part < 4; part++) link.send(PacketType.ECHO_REQ, [Buffer.alloc(100_000)]);
    await pass(5_000);
    peer.stream.read();
    await pass(2_000);
    expect(link.isReady).toBe(true);
    await pass(7_000);
    await isLost();
    await link.close();
  });

  it('can be switched off', async () => {
    const { server, link, isReady } = open({ heartbeatInterval: 0 });
    await server.welcome();
    await isReady();
    expect(jest.getTimerCount()).toBe(0);
    await link.close();
  });
});
