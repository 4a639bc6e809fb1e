import { Problem } from '../problem.js';

/** How many bytes of all requests and answers may be in memory at once. */
export class Budget {
  private used = 0;

  constructor(private readonly limit: number) {}

  /** How much is taken now, in bytes. */
  get taken(): number {
    return this.used;
  }

  hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.limit;
  }

  /** @throws Problem when there is no room. */
  take(bytes: number): void {
    if (!this.hasRoom(bytes)) {
      const detail = 'Too much is on its way in and out; ask again soon.';
      throw new Problem(503, 'too-busy', detail, { 'Retry-After': '1' });
    }
    this.used += bytes;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

/** So many at once, and no more. */
export class Places {
  private used = 0;

  constructor(
    private readonly limit: number,
    private readonly what: string,
  ) {}

  /** @returns what gives the place back; to be called once. @throws Problem when all are taken. */
  take(): () => void {
    if (this.used >= this.limit) {
      const detail = `${this.limit} ${this.what} are open already; ask again when one has ended.`;
      throw new Problem(503, 'too-many', detail, { 'Retry-After': '5' });
    }
    this.used++;
    return () => void this.used--;
  }
}
