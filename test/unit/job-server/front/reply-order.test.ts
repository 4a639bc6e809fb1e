import { duplexPair } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { Connection } from '../../../../lib/connection/index.js';
import { ReplyOrder } from '../../../../lib/job-server/front/reply-order.js';
import { PacketType } from '../../../../lib/protocol/index.js';
import { RawPeer } from '../../../support/raw-peer.js';
import { until } from '../../../support/until.js';

function scene(): { replies: ReplyOrder; echo(text: string): void; peer: RawPeer } {
  const [near, far] = duplexPair();
  const connection = new Connection(far, 'RES', { packet: () => undefined, closed: () => undefined });
  const replies = new ReplyOrder(connection);
  return { replies, echo: (text) => replies.send(PacketType.ECHO_RES, [text]), peer: new RawPeer(near) };
}

const numbered = (...numbers: number[]): string[] => numbers.map((number) => `ECHO_RES ${number}`);

describe('ReplyOrder', () => {
  it('sends at once where nothing is awaited', async () => {
    const { replies, echo, peer } = scene();
    echo('1');
    replies.sendText('2\n');
    expect(await peer.nextOnes(2)).toEqual(['ECHO_RES 1', '2\n']);
    expect(replies.isPending).toBe(false);
  });

  it('keeps what is said behind an awaited answer behind it', async () => {
    const { replies, echo, peer } = scene();
    const place = replies.reserve();
    echo('3');
    place.send(PacketType.ECHO_RES, ['1']);
    expect(await peer.next()).toBe('ECHO_RES 1');
    echo('4');
    place.send(PacketType.ECHO_RES, ['2']);
    expect(replies.isPending).toBe(true);
    place.finish();
    expect(await peer.nextOnes(3)).toEqual(numbered(2, 3, 4));
    expect(replies.isPending).toBe(false);
  });

  it.each([
    { order: [0, 1, 2] },
    { order: [2, 1, 0] },
    { order: [1, 0, 2] },
    { order: [1, 2, 0] },
    { order: [0, 2, 1] },
    { order: [2, 0, 1] },
  ])('keeps the order of questions whatever the order of answers: $order', async ({ order }) => {
    const { replies, echo, peer } = scene();
    const places = [1, 3, 5].map((number) => {
      const place = replies.reserve();
      echo(`${number + 1}`);
      return { place, number };
    });
    for (const index of order) {
      const { place, number } = places[index]!;
      place.send(PacketType.ECHO_RES, [`${number}`]);
      place.finish();
    }
    expect(await peer.nextOnes(6)).toEqual(numbered(1, 2, 3, 4, 5, 6));
  });

  it('lets a later answer grow while an earlier one is awaited, and sends it in one go', async () => {
    const { replies, peer } = scene();
    const [first, second] = [replies.reserve(), replies.reserve()];
    second.send(PacketType.ECHO_RES, ['2']);
    first.send(PacketType.ECHO_RES, ['1']);
    first.finish();
    second.sendText('3\n');
    second.finish();
    expect(await peer.nextOnes(3)).toEqual(['ECHO_RES 1', 'ECHO_RES 2', '3\n']);
  });

  it('keeps the order of questions that come while some are answered and others are awaited', async () => {
    const { replies, peer } = scene();
    const places = [replies.reserve(), replies.reserve(), replies.reserve()];
    const answer = (number: number): void => {
      places[number - 1]!.send(PacketType.ECHO_RES, [`${number}`]);
      places[number - 1]!.finish();
    };
    answer(1);
    places.push(replies.reserve());
    answer(4);
    answer(3);
    places.push(replies.reserve());
    answer(2);
    answer(5);
    expect(await peer.nextOnes(5)).toEqual(numbered(1, 2, 3, 4, 5));
  });

  it('takes no longer for each of 100,000 awaited answers than for one', async () => {
    const { replies, peer } = scene();
    let bytes = 0;
    peer.stream.removeAllListeners('data').on('data', (chunk: Buffer) => (bytes += chunk.length));
    const places = Array.from({ length: 100_000 }, () => replies.reserve());
    for (const place of places.reverse()) {
      place.send(PacketType.NOOP);
      place.finish();
    }
    await until('all have arrived', () => bytes === 100_000 * 12);
  });

  it('tells when nothing is awaited any more', () => {
    const { replies } = scene();
    const told: string[] = [];
    replies.onceIdle(() => told.push('at once'));
    const [first, second] = [replies.reserve(), replies.reserve()];
    replies.onceIdle(() => told.push('in the end'));
    second.finish();
    expect(told).toEqual(['at once']);
    first.finish();
    expect(told).toEqual(['at once', 'in the end']);
  });
});
