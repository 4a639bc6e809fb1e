import { once } from 'node:events';
import { createServer, Socket, type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Connection, SharedReads } from '../../../lib/connection/index.js';
import type { Packet } from '../../../lib/protocol/index.js';
import { atEnd } from '../../support/cleanup.js';
import { RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';
import { RecordingListener } from './recording-listener.js';

/** Keeps the packets it hears, and views of their arguments as they were handed out. */
class KeepingListener extends RecordingListener {
  readonly views: Buffer[] = [];
  readonly strings: string[] = [];
  whenHeard: () => void = () => undefined;

  override packet(packet: Packet): void {
    super.packet(packet);
    this.views.push(packet.bytes(0));
    this.strings.push(packet.byteString(0));
    this.whenHeard();
  }
}

// Accepted sockets are read as Node reads them where their handle is not as expected: both ways have to do the same.
describe.each([
  ['reading into one buffer', true],
  ['reading as Node does', false],
])('accepted sockets, %s', (_how, isShared) => {
  async function listen() {
    const reads = new SharedReads();
    const listeners: KeepingListener[] = [];
    const connections: Connection[] = [];
    const server = createServer({ allowHalfOpen: true }, (accepted) => {
      const socket = isShared ? reads.of(accepted) : accepted;
      expect(socket === accepted).toBe(!isShared);
      const listener = new KeepingListener();
      listeners.push(listener);
      connections.push(new Connection(socket, 'RES', listener));
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    atEnd(() => {
      for (const connection of connections) connection.destroy();
      server.close();
    });
    const dial = async () => {
      const peer = await RawPeer.connect(server.address() as AddressInfo);
      const number = listeners.length;
      await until('it is accepted', () => listeners.length >= number);
      return peer;
    };
    return { server, listeners, connections, dial };
  }

  it('hand out arguments that stay as they are, however much comes after', async () => {
    const { listeners, dial } = await listen();
    const peers = [await dial(), await dial()];
    await until('both are there', () => listeners.length === 2);
    for (let round = 0; round < 20; round++) {
      for (const [index, peer] of peers.entries()) {
        peer.send(`ECHO_REQ short ${index} ${round}`);
        peer.send(`ECHO_REQ long ${index} ${round} ${'x'.repeat(5_000)}`);
      }
      await until('all came', () => listeners.every(({ heard }) => heard.length === (round + 1) * 2));
    }
    const indexes = listeners.map(({ strings }) => Number(strings[0]!.split(' ')[1]));
    for (const [at, { views, strings }] of listeners.entries()) {
      const expected = Array.from({ length: 20 }, (_, round) => [
        `short ${indexes[at]} ${round}`,
        `long ${indexes[at]} ${round} ${'x'.repeat(5_000)}`,
      ]).flat();
      expect(strings).toEqual(expected);
      expect(views.map((view) => view.toString('latin1'))).toEqual(expected);
    }
  });

  it('read a packet larger than what is read at once', async () => {
    const { listeners, dial } = await listen();
    const peer = await dial();
    const large = `${'a'.repeat(200_000)}${'b'.repeat(200_000)}`;
    peer.send(`ECHO_REQ ${large}`);
    peer.send('ECHO_REQ behind it');
    await until('both came', () => listeners[0]?.heard.length === 2);
    expect(listeners[0]!.strings).toEqual([large, 'behind it']);
  });

  it('read on after a pause where they were, whatever others have sent meanwhile', async () => {
    const { listeners, connections, dial } = await listen();
    const paused = await dial();
    await until('the first is there', () => listeners.length === 1);
    const other = await dial();
    await until('the other is there', () => listeners.length === 2);
    listeners[0]!.whenHeard = () => connections[0]!.pause();
    paused.sendText('\0REQ\0\0\0\x10\0\0\0\x01a\0REQ\0\0\0\x10\0\0\0\x01b\0REQ\0\0\0\x10\0\0\0\x01c');
    await until('the first packet came', () => listeners[0]!.heard.length === 1);
    other.send(`ECHO_REQ ${'z'.repeat(1_000)}`);
    paused.send('ECHO_REQ d');
    await until('the other was read', () => listeners[1]!.heard.length === 1);
    expect(listeners[0]!.strings).toEqual(['a']);
    listeners[0]!.whenHeard = () => undefined;
    connections[0]!.resume();
    await until('the rest was read', () => listeners[0]!.heard.length === 4);
    expect(listeners[0]!.strings).toEqual(['a', 'b', 'c', 'd']);
  });

  it('answer a peer that has ended its side, then end', async () => {
    const { listeners, connections, dial } = await listen();
    const peer = await dial();
    await until('it is there', () => listeners.length === 1);
    listeners[0]!.line = () => connections[0]!.sendText('OK 1.0\n');
    peer.sendText('version\n');
    peer.end();
    expect(await peer.nextOnes(2)).toEqual(['OK 1.0\n', 'closed']);
    await listeners[0]!.over;
    expect(listeners[0]!.reason).toBeUndefined();
  });

  it('tell of a peer that resets', async () => {
    const { listeners, dial } = await listen();
    const peer = await dial();
    peer.send('GRAB_JOB');
    await until('the packet is there', () => listeners[0]?.heard.length === 1);
    (peer.stream as Socket).resetAndDestroy();
    await listeners[0]!.over;
    expect(listeners[0]!.reason).toMatchObject({ code: 'ECONNRESET' });
  });

  it('let their server close', async () => {
    const { server, connections, listeners, dial } = await listen();
    const peer = await dial();
    await until('it is there', () => connections.length === 1);
    const closed = new Promise((resolve) => server.close(resolve));
    connections[0]!.close();
    await peer.next();
    peer.end();
    await listeners[0]!.over;
    await closed;
  });
});

it('a socket whose handle is not as expected is left as it is', () => {
  const reads = new SharedReads();
  const without = new Socket();
  expect(reads.of(without)).toBe(without);
  const strange = Object.assign(new Socket(), { _handle: { useUserBuffer: 'later' } });
  expect(reads.of(strange)).toBe(strange);
});
