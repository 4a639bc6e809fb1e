import { Problem, tooMany } from '../problem.js';

/** Limits how many bytes of all requests and answers may be in memory at once. */
export class Budget {
  private used = 0;

  constructor(private readonly limit: number) {}

  /** How many bytes are borrowed now. */
  get borrowed(): number {
    return this.used;
  }

  hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.limit;
  }

  /** @param headers of the answer if there is no room. @throws Problem if there is no room. */
  borrow(bytes: number, headers: Readonly<Record<string, string>> = {}): void {
    if (!this.hasRoom(bytes)) {
      const detail = 'Too much is on its way in and out; ask again soon.';
      throw new Problem(503, 'too-busy', detail, { 'Retry-After': '1', ...headers });
    }
    this.used += bytes;
  }

  giveBack(bytes: number): void {
    this.used -= bytes;
  }
}

/** Allows each caller one at a time: the next one begins when the one before is over. */
export class OneEach {
  private readonly last = new Map<string, Promise<void>>();

  /** @param places how many all callers together may have at once. */
  constructor(private readonly places: Places) {}

  /** @returns a function that lets the next one begin; call it once. @throws Problem if too many of others run. */
  async borrow(who: string): Promise<() => void> {
    const before = this.last.get(who);
    let free = (): void => undefined;
    const over = new Promise<void>((resolve) => (free = resolve)).then(() => {
      if (this.last.get(who) === over) this.last.delete(who);
    });
    this.last.set(who, over);
    await before;
    try {
      const giveBack = this.places.borrow();
      return () => {
        giveBack();
        free();
      };
    } catch (error) {
      free();
      throw error;
    }
  }
}

/** Allows only so many at once. */
export class Places {
  private used = 0;

  constructor(
    private readonly limit: number,
    private readonly what: string,
  ) {}

  /** @returns a function that gives the place back; call it once. @throws Problem if all are borrowed. */
  borrow(): () => void {
    if (this.used >= this.limit) {
      throw tooMany(this.limit, this.what);
    }
    this.used++;
    return () => void this.used--;
  }
}
