import { Duplex } from 'node:stream';

/**
 * A Duplex whose writes a test sees one system call at a time: each entry of
 * `writes` is what a socket would have handed over at once. While it is
 * `blocked` it takes one write and no more, as a socket whose peer does not read.
 */
export class RecordingStream extends Duplex {
  readonly writes: Buffer[][] = [];
  blocked = false;
  private release: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 16 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.record([chunk], done);
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.record(
      chunks.map(({ chunk }) => chunk),
      done,
    );
  }

  /** Everything written so far. */
  get written(): string {
    return Buffer.concat(this.writes.flat()).toString('latin1');
  }

  /** The peer reads again. */
  unblock(): void {
    this.blocked = false;
    this.release?.();
  }

  /** Bytes arrive from the peer. */
  arrive(...bytes: Buffer[]): void {
    this.push(Buffer.concat(bytes));
  }

  private record(chunks: Buffer[], done: () => void): void {
    this.writes.push(chunks);
    if (this.blocked) this.release = done;
    else done();
  }
}
