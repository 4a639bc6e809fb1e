import { once } from 'node:events';
import { connect as dial, createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { Connection, Outbox } from '../../../lib/connection/index.js';
import { PacketType } from '../../../lib/protocol/index.js';
import { atEnd } from '../../support/cleanup.js';
import { until } from '../../support/until.js';
import { RecordingListener } from './recording-listener.js';
import { RecordingStream } from './recording-stream.js';

/** Two ends of a TCP connection on the loopback interface. */
async function tcpPair(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const far = dial((server.address() as AddressInfo).port, '127.0.0.1');
  const [near] = (await once(server, 'connection')) as [Socket];
  atEnd(() => {
    far.destroy();
    near.destroy();
    server.close();
  });
  return { near, far };
}

/** The numbers in the handles of a stream of JOB_CREATED packets, each checked byte by byte on the way. */
function numbersIn(bytes: Buffer): number[] {
  const numbers: number[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.readUInt32BE(at + 8);
    const head = bytes.toString('latin1', at, at + 8);
    // Not by `expect`, which costs more than all the rest.
    if (head !== '\0RES\0\0\0\x08') throw new Error(`not the head of a JOB_CREATED at ${at}: ${JSON.stringify(head)}`);
    numbers.push(Number(bytes.toString('latin1', at + 12, at + 12 + size).replaceAll('-', '')));
    at += 12 + size;
  }
  return numbers;
}

/** A handle that is long, and says a number. */
const longHandle = (number: number) => `${'-'.repeat(997)}${String(number).padStart(3, '0')}`;

describe('connections that share an outbox', () => {
  it('all send at the end of one turn', async () => {
    const outbox = new Outbox();
    const streams = [1, 2, 3].map(() => new RecordingStream());
    for (const stream of streams) {
      const connection = new Connection(stream, 'RES', new RecordingListener(), { outbox });
      connection.send(PacketType.JOB_CREATED, ['a']);
      connection.send(PacketType.JOB_CREATED, ['b']);
    }
    await turn();
    const expected = '\0RES\0\0\0\x08\0\0\0\x01a\0RES\0\0\0\x08\0\0\0\x01b';
    expect(streams.map(({ written, writes }) => [written, writes.length])).toEqual(streams.map(() => [expected, 1]));
  });

  // More than fits into one buffer leaves in several.
  it.each([7, 40])('do not overwrite what the kernel has not taken from one of them, %d kB a turn', async (packets) => {
    const outbox = new Outbox();
    const slow = await tcpPair();
    const busy = await tcpPair();
    const to = ({ near }: { near: Socket }) => new Connection(near, 'RES', new RecordingListener(), { outbox });
    const [toSlow, toBusy] = [to(slow), to(busy)];
    busy.far.resume();
    slow.far.pause();
    const sent: number[] = [];
    let number = 0;
    // Until the kernel's buffers are full, and then some: those bytes wait in buffers of ours.
    for (let beyond = 0; beyond < 20;) {
      for (let packet = 0; packet < packets; packet++) {
        number = (number + 1) % 1000;
        toSlow.send(PacketType.JOB_CREATED, [longHandle(number)]);
        sent.push(number);
      }
      await turn();
      for (let packet = 0; packet < packets; packet++) toBusy.send(PacketType.JOB_CREATED, [longHandle(0)]);
      await turn();
      if (slow.near.writableLength > 0) beyond++;
    }
    toSlow.close();
    const chunks: Buffer[] = [];
    for await (const chunk of slow.far) chunks.push(chunk as Buffer);
    expect(numbersIn(Buffer.concat(chunks))).toEqual(sent);
  });

  it('use the buffers again from which the kernel has taken all', async () => {
    const made = new Set<Buffer>();
    class WatchedOutbox extends Outbox {
      override takeSegment(): Buffer {
        const segment = super.takeSegment();
        made.add(segment);
        return segment;
      }
    }
    const { near, far } = await tcpPair();
    const connection = new Connection(near, 'RES', new RecordingListener(), { outbox: new WatchedOutbox() });
    const bytes = { heard: 0 };
    far.on('data', (chunk: Buffer) => (bytes.heard += chunk.length));
    for (let round = 1; round <= 20; round++) {
      for (let packet = 0; packet < 30; packet++) connection.send(PacketType.JOB_CREATED, [longHandle(packet)]);
      await until('all of it is there', () => bytes.heard === round * 30 * 1012);
    }
    // 30 packets of 1,012 bytes take two buffers of 16 KiB; now and then the kernel may leave some of them behind.
    expect(made.size).toBeLessThan(20);
  });

  it.each([7, 40])(
    'do not overwrite what a stream that is no socket may have handed to somebody, %d kB',
    async (kB) => {
      const stream = new RecordingStream();
      const connection = new Connection(stream, 'RES', new RecordingListener(), { outbox: new Outbox() });
      for (let number = 0; number < 10; number++) {
        for (let packet = 0; packet < kB; packet++) connection.send(PacketType.JOB_CREATED, [longHandle(number)]);
        await turn();
      }
      const numbers = numbersIn(Buffer.from(stream.written, 'latin1'));
      expect(numbers).toEqual(Array.from({ length: 10 * kB }, (_, index) => Math.floor(index / kB)));
    },
  );

  it('go on when the listener of one of them throws', async () => {
    const outbox = new Outbox();
    const [first, second] = [new RecordingStream(), new RecordingStream()];
    const listener = Object.assign(new RecordingListener(), {
      drained: () => {
        throw new Error('drained in vain');
      },
    });
    const failing = new Connection(first, 'RES', listener, { outbox });
    const other = new Connection(second, 'RES', new RecordingListener(), { outbox });
    failing.send(PacketType.NOOP);
    other.send(PacketType.NOOP);
    await listener.over;
    expect(listener.reason?.message).toBe('drained in vain');
    expect(second.written).toHaveLength(12);
  });
});
