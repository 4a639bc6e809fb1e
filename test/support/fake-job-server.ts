import { duplexPair, type Duplex } from 'node:stream';
import { RawPeer } from './raw-peer.js';

const GREETING = '·nestjs-gearman greeting';

/**
 * The address of a job server that a test plays itself, packet by packet: every
 * connection of a client or worker comes out of {@link accept} as the raw peer
 * at its other end.
 */
export class FakeJobServer {
  private readonly arrived: RawPeer[] = [];
  private readonly awaited: ((peer: RawPeer) => void)[] = [];
  /** Refuses connections while true. */
  isDown = false;

  constructor(readonly name = 'fake') {}

  connect(): Duplex {
    if (this.isDown) throw new Error(`${this.name} is down`);
    const [ours, theirs] = duplexPair({ allowHalfOpen: false });
    breakTogether(ours, theirs);
    const peer = new RawPeer(ours, 'RES');
    const awaited = this.awaited.shift();
    if (awaited) awaited(peer);
    else this.arrived.push(peer);
    return theirs;
  }

  /** The next connection, before anything was said on it. */
  accept(): Promise<RawPeer> {
    const peer = this.arrived.shift();
    return peer ? Promise.resolve(peer) : new Promise((resolve) => this.awaited.push(resolve));
  }

  /** The next connection, its greeting answered; `packets` are what it was greeted with. */
  async welcome(...answers: string[]): Promise<{ peer: RawPeer; packets: string[] }> {
    const peer = await this.accept();
    const packets: string[] = [];
    for (let packet = await peer.next(); packet !== `ECHO_REQ ${GREETING}`; packet = await peer.next()) {
      packets.push(packet);
    }
    peer.send(...answers, `ECHO_RES ${GREETING}`);
    return { peer, packets };
  }
}

/** A pair in memory does not tell one end that the other was destroyed; a socket does. */
function breakTogether(...ends: [Duplex, Duplex]): void {
  for (const [index, end] of ends.entries()) {
    const other = ends[1 - index]!;
    end.once('close', () => {
      if (!end.writableFinished) other.destroy(new Error('the other side broke the connection'));
    });
  }
}
