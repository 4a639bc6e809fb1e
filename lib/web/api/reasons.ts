import type { DeadLetterSnapshot } from '../../job-server/operations/index.js';

/** How many reasons are counted separately; dead letters with further reasons are counted together. */
export const MAX_REASONS = 1_000;

/** How many characters of an error make up its reason. */
const MAX_REASON = 300;

/** Dead letters of one function that failed for the same reason, whatever numbers were in it. */
export interface Reason {
  readonly function: string;
  readonly reason: string;
  count: number;
  lastDiedAt: Date;
}

/** An error without the parts that differ from job to job: numbers, and what looks like an id. */
export function reasonOf(error: string): string {
  return error
    .slice(0, MAX_REASON)
    .replaceAll(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '…')
    .replaceAll(/\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b/gi, '…')
    .replaceAll(/\d+/g, '…');
}

/** Counts dead letters by function and reason. */
export class Reasons {
  private readonly found = new Map<string, Reason>();
  /** How many dead letters there are, also those with reasons that are not counted separately. */
  total = 0;

  add({ function: name, error, diedAt }: Pick<DeadLetterSnapshot, 'function' | 'error' | 'diedAt'>): void {
    this.total++;
    const reason = reasonOf(error);
    const key = JSON.stringify([name, reason]);
    const known = this.found.get(key);
    if (known) {
      known.count++;
      if (diedAt > known.lastDiedAt) known.lastDiedAt = diedAt;
    } else if (this.found.size < MAX_REASONS) {
      this.found.set(key, { function: name, reason, count: 1, lastDiedAt: diedAt });
    }
  }

  /** The reasons, the most frequent first. */
  list(): readonly Reason[] {
    return [...this.found.values()].sort((one, other) => other.count - one.count);
  }
}
