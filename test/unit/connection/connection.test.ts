import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Connection, SendBufferFullError, type ConnectionOptions } from '../../../lib/connection/index.js';
import { InvalidArgumentError, PacketType } from '../../../lib/protocol/index.js';
import { atEnd } from '../../support/cleanup.js';
import { RawPeer } from '../../support/raw-peer.js';
import { until } from '../../support/until.js';
import { packetBytes, rawPacket } from '../../support/wire.js';
import { RecordingListener } from './recording-listener.js';
import { RecordingStream } from './recording-stream.js';

const NOOP = packetBytes('NOOP', 'RES').toString('latin1');

function connect(options?: ConnectionOptions) {
  const stream = new RecordingStream();
  const listener = new RecordingListener();
  return { stream, listener, connection: new Connection(stream, 'RES', listener, options) };
}

describe('sending', () => {
  it('puts everything of one turn into one write, in order', async () => {
    const { stream, connection } = connect();
    for (let count = 0; count < 30; count++) connection.send(PacketType.NOOP);
    connection.sendText('OK\r\n');
    connection.send(PacketType.JOB_CREATED, ['H:lap:1']);
    expect(stream.writes).toHaveLength(0);
    await turn();
    expect(stream.writes).toHaveLength(1);
    expect(stream.written).toBe(`${NOOP.repeat(30)}OK\r\n\0RES\0\0\0\x08\0\0\0\x07H:lap:1`);
  });

  it('lets many packets leave before the turn is over, so that the peer has something to do meanwhile', async () => {
    const { stream, connection } = connect();
    for (let count = 0; count < 31; count++) connection.send(PacketType.NOOP);
    expect(stream.written).toBe('');
    connection.send(PacketType.NOOP);
    expect(stream.written).toBe(NOOP.repeat(32));
    for (let count = 0; count < 8; count++) connection.send(PacketType.NOOP);
    expect(stream.writes).toHaveLength(1);
    await turn();
    expect(stream.written).toBe(NOOP.repeat(40));
    expect(connection.bytesSent).toBe(40 * NOOP.length);
  });

  it('sends at once when it is told to flush', () => {
    const { stream, connection } = connect();
    connection.send(PacketType.NOOP);
    connection.flush();
    expect(stream.written).toBe(NOOP);
  });

  it.each([
    ['with arguments before it', PacketType.WORK_DATA, ['H:lap:1'], '\x1c\0\x01\0\x08H:lap:1\0'],
    ['alone', PacketType.ECHO_RES, [], '\x11\0\x01\0\0'],
  ] as const)('hands a large argument on without a copy, %s', async (_which, type, before, head) => {
    const { stream, connection } = connect();
    const workload = Buffer.alloc(65536, 'x');
    connection.send(PacketType.NOOP);
    connection.send(type, [...before, workload]);
    connection.sendText('OK\n');
    await turn();
    expect(stream.writes).toHaveLength(1);
    expect(stream.writes[0]!.find(({ length }) => length === 65536)!.buffer).toBe(workload.buffer);
    expect(stream.written).toBe(`${NOOP}\0RES\0\0\0${head}${'x'.repeat(65536)}OK\n`);
  });

  it('waits while the peer does not read, then sends what gathered in one write', async () => {
    const { stream, listener, connection } = connect();
    stream.blocked = true;
    for (let count = 0; count < 5; count++) connection.send(PacketType.NOOP);
    await turn();
    for (let count = 0; count < 7; count++) {
      connection.send(PacketType.NOOP);
      await turn();
    }
    expect(stream.writes).toHaveLength(1);
    expect(connection.bufferedBytes).toBe(12 * 12);
    expect(listener.heard).toEqual([]);
    stream.unblock();
    await turn();
    expect(stream.writes).toHaveLength(2);
    expect(stream.written).toBe(NOOP.repeat(12));
    expect(connection.bufferedBytes).toBe(0);
    expect(listener.heard).toEqual(['drained']);
  });

  it('drops a peer that leaves more than maxSendBufferBytes unread', async () => {
    const { stream, listener, connection } = connect({ maxSendBufferBytes: 24 });
    stream.blocked = true;
    connection.send(PacketType.NOOP);
    connection.send(PacketType.NOOP);
    connection.send(PacketType.NOOP);
    await turn();
    expect(connection.bufferedBytes).toBe(36);
    expect(connection.writable).toBe(true);
    connection.send(PacketType.NOOP);
    expect(connection.writable).toBe(false);
    expect(connection.bufferedBytes).toBeLessThanOrEqual(36);
    await listener.over;
    expect(listener.heard).toEqual(['closed']);
    expect(listener.reason).toBeInstanceOf(SendBufferFullError);
    expect(listener.reason!.message).toContain('24 bytes unread (maxSendBufferBytes)');
  });

  it('counts what its owner keeps back for the peer as unread', () => {
    const { listener, connection } = connect({ maxSendBufferBytes: 24 });
    connection.hold(1000);
    expect(connection.bufferedBytes).toBe(0);
    connection.hold(-1000);
    connection.send(PacketType.NOOP);
    expect(connection.writable).toBe(true);
    connection.hold(1000);
    connection.hold(1);
    expect(connection.writable).toBe(false);
    return listener.over.then(() => expect(listener.reason).toBeInstanceOf(SendBufferFullError));
  });

  it('sends a single packet larger than maxSendBufferBytes to a peer that reads', async () => {
    const { stream, connection } = connect({ maxSendBufferBytes: 24 });
    connection.send(PacketType.ECHO_RES, ['x'.repeat(1000)]);
    await turn();
    expect(stream.written).toHaveLength(1012);
    expect(connection.writable).toBe(true);
  });
});

describe('receiving', () => {
  it('tells packets and lines one after the other', async () => {
    const { stream, listener } = connect();
    stream.arrive(packetBytes('CAN_DO f'), Buffer.from('status\r\n'), packetBytes('GRAB_JOB').subarray(0, 3));
    await turn();
    stream.arrive(packetBytes('GRAB_JOB').subarray(3));
    await turn();
    expect(listener.heard).toEqual(['CAN_DO', 'line status', 'GRAB_JOB']);
  });

  it('tells that bytes arrived, once for all they hold and before it', async () => {
    const { stream, listener } = connect();
    Object.assign(listener, { arrived: () => listener.heard.push('arrived') });
    stream.arrive(packetBytes('CAN_DO f'), Buffer.from('status\r\n'));
    await turn();
    stream.arrive(packetBytes('GRAB_JOB'));
    await turn();
    expect(listener.heard).toEqual(['arrived', 'CAN_DO', 'line status', 'arrived', 'GRAB_JOB']);
  });

  it('says whether the peer left a packet half sent', async () => {
    const { stream, connection } = connect();
    stream.arrive(packetBytes('GRAB_JOB').subarray(0, 3));
    await turn();
    expect(connection.isPartial).toBe(true);
  });

  it('tells of an unusable packet and goes on behind it', async () => {
    const { stream, listener } = connect();
    stream.arrive(packetBytes('SUBMIT_JOB f'), packetBytes('GRAB_JOB'));
    await turn();
    expect(listener.heard).toEqual(['invalid GEARMAN_MISSING_ARGUMENT', 'GRAB_JOB']);
  });

  it.each([
    ['an unusable packet', packetBytes('SUBMIT_JOB f'), 'GEARMAN_MISSING_ARGUMENT', { invalid: undefined }],
    ['text', Buffer.from('status\n'), 'GEARMAN_BAD_MAGIC', { line: undefined }],
    ['a wrong magic', rawPacket('\0RER', 1, ''), 'GEARMAN_BAD_MAGIC', {}],
    ['an unknown packet type', rawPacket('\0REQ', 99, ''), 'GEARMAN_UNKNOWN_PACKET_TYPE', {}],
    ['a packet of 4 GiB', rawPacket('\0REQ', 7, '', 0xffffffff), 'GEARMAN_PACKET_TOO_LARGE', {}],
    ['an endless line', Buffer.alloc(10_000, 'x'), 'GEARMAN_LINE_TOO_LONG', {}],
  ])('ends at %s nobody cares for', async (_what, bytes, code, without) => {
    const { stream, listener } = connect();
    Object.assign(listener, without);
    stream.arrive(bytes, packetBytes('GRAB_JOB'));
    await listener.over;
    expect(listener.heard).toEqual(['closed']);
    expect(listener.reason).toMatchObject({ code });
  });

  it('reads nothing while paused', async () => {
    const { stream, listener, connection } = connect();
    connection.pause();
    stream.arrive(packetBytes('GRAB_JOB'));
    await turn();
    expect(listener.heard).toEqual([]);
    connection.resume();
    await turn();
    expect(listener.heard).toEqual(['GRAB_JOB']);
  });

  it('stops at the packet whose listener paused it, in the middle of a chunk', async () => {
    const { stream, listener, connection } = connect();
    listener.packet = ({ name }) => {
      listener.heard.push(name);
      if (name === 'PRE_SLEEP') connection.pause();
    };
    stream.arrive(packetBytes('CAN_DO f'), packetBytes('PRE_SLEEP'), packetBytes('GRAB_JOB'));
    await turn();
    stream.arrive(packetBytes('CANT_DO f'));
    await turn();
    expect(listener.heard).toEqual(['CAN_DO', 'PRE_SLEEP']);
    connection.resume();
    await turn();
    expect(listener.heard).toEqual(['CAN_DO', 'PRE_SLEEP', 'GRAB_JOB', 'CANT_DO']);
  });

  it('tells nothing more once it is destroyed, also of packets that had arrived', async () => {
    const { stream, listener, connection } = connect();
    listener.packet = () => {
      listener.heard.push('packet');
      connection.destroy();
    };
    stream.arrive(packetBytes('GRAB_JOB'), packetBytes('GRAB_JOB'));
    await listener.over;
    expect(listener.heard).toEqual(['packet', 'closed']);
    expect(listener.reason).toBeUndefined();
  });

  it.each([
    ['any error', new Error('a bug')],
    ['one that looks like a bad packet', new InvalidArgumentError('NOOP', 'none', 'is one too many')],
  ])('ends, with its error as the reason, when the listener throws %s', async (_what, bug) => {
    const { stream, listener } = connect();
    listener.packet = () => {
      throw bug;
    };
    stream.arrive(packetBytes('GRAB_JOB'), packetBytes('GRAB_JOB'));
    await listener.over;
    expect(listener.heard).toEqual(['closed']);
    expect(listener.reason).toBe(bug);
  });
});

describe('the end', () => {
  it('close sends what waits, and nothing after it', async () => {
    const { stream, connection } = connect();
    connection.send(PacketType.NOOP);
    connection.close();
    connection.send(PacketType.NO_JOB);
    expect(connection.writable).toBe(false);
    await once(stream, 'finish');
    expect(stream.written).toBe(NOOP);
  });

  it('close waits for a peer that does not read yet', async () => {
    const { stream, connection } = connect();
    stream.blocked = true;
    connection.send(PacketType.ECHO_RES, ['more than the high water mark']);
    await turn();
    connection.send(PacketType.NOOP);
    connection.close();
    await turn();
    expect(stream.writableFinished).toBe(false);
    stream.unblock();
    await once(stream, 'finish');
    expect(stream.written.endsWith(NOOP)).toBe(true);
  });

  it('a peer that ends its side still gets what waits for it, then the end', async () => {
    const [one, other] = duplexPair();
    const listener = new RecordingListener();
    const connection = new Connection(one, 'RES', listener);
    const peer = new RawPeer(other);
    listener.line = () => connection.sendText('OK 1.0\n');
    peer.sendText('version\n');
    peer.end();
    expect(await peer.nextOnes(2)).toEqual(['OK 1.0\n', 'closed']);
    await listener.over;
    expect(listener.reason).toBeUndefined();
  });

  it('a peer that ends its side is heard of by a listener that wants to decide itself', async () => {
    const [one, other] = duplexPair();
    const listener = new RecordingListener();
    const connection = new Connection(
      one,
      'RES',
      Object.assign(listener, { ended: () => listener.heard.push('ended') }),
    );
    const peer = new RawPeer(other);
    peer.end();
    await until('it is told', () => listener.heard.includes('ended'));
    expect(connection.writable).toBe(true);
    connection.sendText('later\n');
    connection.close();
    expect(await peer.nextOnes(2)).toEqual(['later\n', 'closed']);
    await listener.over;
    expect(listener.heard.at(-1)).toBe('closed');
  });

  it('destroy drops what waits and tells its reason once', async () => {
    const { stream, listener, connection } = connect();
    const reason = new Error('enough');
    connection.send(PacketType.NOOP);
    connection.destroy(reason);
    connection.destroy(new Error('later'));
    await listener.over;
    await turn();
    expect(stream.writes).toEqual([]);
    expect(listener.heard).toEqual(['closed']);
    expect(listener.reason).toBe(reason);
    expect(connection.bufferedBytes).toBe(0);
  });

  it("a stream's error is the reason", async () => {
    const { stream, listener, connection } = connect();
    const error = new Error('broken pipe');
    stream.destroy(error);
    await listener.over;
    expect(listener.reason).toBe(error);
    connection.resume();
    connection.send(PacketType.NOOP);
    connection.flush();
    connection.close();
    expect(listener.heard).toEqual(['closed']);
  });

  it('a TCP peer that resets is told as a reason, and harms nobody', async () => {
    const listener = new RecordingListener();
    const server = createServer((socket) => void new Connection(socket, 'RES', listener)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const peer = await RawPeer.connect(server.address() as AddressInfo);
    atEnd(() => void server.close());
    peer.send('GRAB_JOB');
    await until('the packet is there', () => listener.heard.length > 0);
    (peer.stream as Socket).resetAndDestroy();
    await listener.over;
    expect(listener.reason).toMatchObject({ code: 'ECONNRESET' });
  });
});
