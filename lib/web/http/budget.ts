import { Problem, tooMany } from '../problem.js';

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

  /** @param headers of the answer where there is none. @throws Problem when there is no room. */
  take(bytes: number, headers: Readonly<Record<string, string>> = {}): void {
    if (!this.hasRoom(bytes)) {
      const detail = 'Too much is on its way in and out; ask again soon.';
      throw new Problem(503, 'too-busy', detail, { 'Retry-After': '1', ...headers });
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
      throw tooMany(this.limit, this.what);
    }
    this.used++;
    return () => void this.used--;
  }
}
