import { duplexPair, type Duplex } from 'node:stream';
import { RawPeer } from './raw-peer.js';

const GREETING = '·nestjs-gearman greeting';

/**
 * The address of a job server that a test plays itself, packet by packet: for every
 * connection of a client or worker, {@link accept} returns the raw peer at its
 * other end.
 */
export class FakeJobServer {
  private readonly arrived: RawPeer[] = [];
  private readonly awaited: ((peer: RawPeer) => void)[] = [];
  /** While true, connections are refused. */
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

  /** The next connection, after its greeting was answered; `packets` are the packets of the greeting. */
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

/** Destroys both ends together, because in a pair in memory one end is not told that the other was destroyed; a socket is. */
function breakTogether(...ends: [Duplex, Duplex]): void {
  for (const [index, end] of ends.entries()) {
    const other = ends[1 - index]!;
    end.once('close', () => {
      if (!end.writableFinished) other.destroy(new Error('the other side broke the connection'));
    });
  }
}
