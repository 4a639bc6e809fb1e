import { statfs } from 'node:fs/promises';

/**
 * What a folder's disk has left. It is looked at beside everything else, and
 * again whenever somebody asks: a disk that hangs holds nobody up.
 */
export class FreeRoom {
  private known: number | undefined;
  private isLooking = false;

  constructor(private readonly folder: string) {
    this.look();
  }

  /** Bytes, as when it was last asked; undefined until the first look is over, and where nobody can tell. */
  get bytes(): number | undefined {
    this.look();
    return this.known;
  }

  private look(): void {
    if (this.isLooking) return;
    this.isLooking = true;
    statfs(this.folder).then(
      ({ bavail, bsize }) => this.saw(bavail * bsize),
      () => this.saw(undefined),
    );
  }

  private saw(bytes: number | undefined): void {
    this.known = bytes;
    this.isLooking = false;
  }
}
