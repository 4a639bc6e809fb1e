import { connect, createServer, type Server, type Socket } from 'node:net';
import { atEnd } from './cleanup.js';

/** Where a conversation is cut: before the statement is passed on, before its answer is passed back, or so that nothing passes any more. */
export type Cut = 'before the statement' | 'before the answer' | 'into silence';

/** Stands between a client and a server, and can cut their connections. */
export class CuttingProxy {
  private readonly pairs = new Set<readonly [Socket, Socket]>();
  private armed: { readonly pattern: string; readonly cut: Cut; cut_(): void } | undefined;
  private isDown = false;
  private isHanging = false;
  private bytesAMillisecond = Infinity;

  private constructor(
    private readonly server: Server,
    private readonly target: number,
  ) {}

  static async to(target: number): Promise<CuttingProxy> {
    const server = createServer();
    const proxy = new CuttingProxy(server, target);
    server.on('connection', (near) => proxy.accept(near));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    atEnd(() => proxy.close());
    return proxy;
  }

  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  /** Cuts once, at the next statement that contains this text; resolves when that has happened. */
  cutAt(pattern: string, cut: Cut): Promise<void> {
    return new Promise((resolve) => (this.armed = { pattern, cut, cut_: resolve }));
  }

  /** Refuses new connections, and cuts all others. */
  down(): void {
    this.isDown = true;
    for (const pair of this.pairs) this.end(pair);
  }

  up(): void {
    this.isDown = this.isHanging = false;
  }

  /** Passes nothing on any more, on old and new connections, like a machine without a network. */
  hang(): void {
    this.isHanging = true;
  }

  /** Limits how fast bytes reach the server. */
  slow(bytesAMillisecond: number): void {
    this.bytesAMillisecond = bytesAMillisecond;
  }

  private accept(near: Socket): void {
    near.on('error', () => undefined);
    if (this.isDown) return void near.destroy();
    const far = connect(this.target, '127.0.0.1');
    far.on('error', () => undefined);
    const pair = [near, far] as const;
    this.pairs.add(pair);
    near.on('close', () => this.end(pair));
    far.on('close', () => this.end(pair));
    let isSilent = false;
    let isLast = false;
    near.on('data', (bytes) => {
      if (this.isHanging) return;
      if (this.bytesAMillisecond < Infinity) {
        near.pause();
        setTimeout(() => near.resume(), bytes.length / this.bytesAMillisecond);
      }
      const { armed } = this;
      if (!armed || !bytes.includes(armed.pattern)) {
        if (!isSilent) far.write(bytes);
        return;
      }
      this.armed = undefined;
      if (armed.cut === 'before the statement') this.end(pair);
      else {
        isLast = armed.cut === 'before the answer';
        isSilent = armed.cut === 'into silence';
        far.write(bytes);
      }
      armed.cut_();
    });
    far.on('data', (bytes) => {
      if (isLast) this.end(pair);
      else if (!isSilent) near.write(bytes);
    });
  }

  private end(pair: readonly [Socket, Socket]): void {
    this.pairs.delete(pair);
    for (const socket of pair) socket.destroy();
  }

  private close(): void {
    this.down();
    this.server.close();
  }
}
