import type { GearmanError } from '../ground/index.js';
import { ClosedError, NoServerError } from './errors.js';
import type { Link } from './link.js';

/** Callers that wait for job servers to be connected, each at most `timeout` milliseconds. */
export class ReadyWait {
  private readonly waiting = new Set<{ links: readonly Link[]; settle: (error?: GearmanError) => void }>();

  constructor(private readonly timeout: number) {}

  /**
   * Resolves as soon as one of the links is ready.
   *
   * @throws NoServerError if none is ready in time, ClosedError after {@link close}
   */
  forOneOf(links: readonly Link[]): Promise<void> {
    if (links.some((link) => link.isReady)) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const entry = {
        links,
        settle: (error?: GearmanError) => {
          clearTimeout(timer);
          this.waiting.delete(entry);
          if (error) reject(error);
          else resolve();
        },
      };
      const timer = setTimeout(() => entry.settle(noServer(links, this.timeout)), this.timeout);
      this.waiting.add(entry);
    });
  }

  /** A link has become ready. */
  arrived(link: Link): void {
    for (const { links, settle } of this.waiting) if (links.includes(link)) settle();
  }

  /** Ends every wait with a ClosedError. */
  close(what: string): void {
    for (const { settle } of this.waiting) settle(new ClosedError(what));
  }
}

/** The error when none of the links was ready in time. */
export function noServer(links: readonly Link[], timeout: number): NoServerError {
  return new NoServerError(new Map(links.map((link) => [link.name, link.lastError])), timeout);
}
