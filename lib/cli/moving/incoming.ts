import { createHash } from 'node:crypto';
import type { JobRecord, Past } from '../../job-server/storage/index.js';

/** A job that comes from another queue. */
export interface Incoming {
  readonly job: JobRecord;
  /** What it is remembered by, so that it comes once. */
  readonly origin: string;
  /** Makes it a dead letter, or has its result kept. */
  readonly past?: Past;
}

/** What is kept beside jobs, as which functions are paused. */
export class Setting {
  constructor(
    readonly name: string,
    readonly value: string,
  ) {}
}

/** Something of another queue that cannot be a job here: the message says what, and why. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
}

/** Where jobs come from, in order; what cannot be a job comes as {@link Unfit}. */
export type Source = AsyncIterable<Incoming | Setting | Unfit>;

/** An origin: 128 bits of a digest of everything that tells a job from others. */
export function originOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest().toString('latin1', 0, 16);
}
