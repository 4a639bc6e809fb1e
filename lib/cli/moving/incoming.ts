import { createHash } from 'node:crypto';
import type { JobRecord, Past } from '../../job-server/storage/index.js';

/** A job that comes from another queue. */
export interface Incoming {
  readonly job: JobRecord;
  /** Identifies the job at its source, so that it is imported once. */
  readonly origin: string;
  /** For a dead letter, or a job whose result is kept. */
  readonly past?: Past;
}

/** Something that is stored beside jobs, such as which functions are paused. */
export class Setting {
  constructor(
    readonly name: string,
    readonly value: string,
  ) {}
}

/** Something in another queue that cannot be a job here; the message says what, and why. */
export class Unfit extends Error {
  override readonly name = 'Unfit';
}

/** The jobs to import, in order; an item that cannot be a job comes as {@link Unfit}. */
export type Source = AsyncIterable<Incoming | Setting | Unfit>;

/** An origin: 128 bits of a digest of everything that identifies a job. */
export function originOf(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest().toString('latin1', 0, 16);
}
