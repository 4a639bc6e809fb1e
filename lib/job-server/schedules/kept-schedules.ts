import type { ScheduleOptions } from './schedule.js';
import type { ScheduleHost } from './schedule-host.js';

/** How the names of settings begin that keep a schedule which was put or paused. */
const PREFIX = 'schedule:';

/** What is kept of a schedule by its id. */
export interface Kept {
  /** As it was put. */
  readonly put?: ScheduleOptions;
  /** Whether it is paused, where its declaration says otherwise. */
  readonly paused?: boolean;
}

/** What was put, and what was paused: among the host's settings, as JSON. */
export class KeptSchedules {
  constructor(private readonly host: Pick<ScheduleHost, 'settings' | 'set'>) {}

  /** All of them, by their ids, as they are kept. */
  *all(): Iterable<{ readonly id: string; readonly text: string }> {
    for (const [name, text] of [...this.host.settings()]) {
      if (name.startsWith(PREFIX)) yield { id: name.slice(PREFIX.length), text };
    }
  }

  /**
   * Keeps what was put and paused, or forgets it where that is nothing; answers with the kept
   * text. Throws where it cannot.
   */
  keep(id: string, kept: Kept): string | undefined {
    const isAny = kept.put !== undefined || kept.paused !== undefined;
    const text = isAny ? JSON.stringify(kept) : undefined;
    if (isAny || this.has(id)) this.host.set(PREFIX + id, text);
    return text;
  }

  has(id: string): boolean {
    return this.host.settings().has(PREFIX + id);
  }

  of(id: string): Kept | undefined {
    return readKept(this.host.settings().get(PREFIX + id));
  }
}

/** What a kept text says; undefined where it is no JSON. */
export function readKept(text: string | undefined): Kept | undefined {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as Kept;
  } catch {
    return undefined;
  }
}
