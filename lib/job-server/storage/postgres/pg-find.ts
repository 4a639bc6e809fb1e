import { Gathered } from './gathered.js';
import type { PgRow } from './pg-package.js';
import { run, type PgParts } from './pg-parts.js';
import { bytesArray } from './pg-values.js';

/** How many handles are looked up together. */
const MAX_BATCH = 1_000;

/** Looks up handles: many that are asked for at once, as by schedules whose ticks come together, in few round trips. */
export class PgFind {
  private readonly jobs: Gathered<string, PgRow | undefined>;
  private readonly dead: Gathered<string, PgRow | undefined>;
  private readonly results: Gathered<string, PgRow | undefined>;

  constructor(parts: PgParts) {
    const gathered = (statement: 'find' | 'findDead' | 'findResult'): Gathered<string, PgRow | undefined> =>
      new Gathered(async (handles) => {
        const { rows } = await run(parts, 'leaser', statement, [bytesArray(handles)]);
        const byHandle = new Map(rows.map((row) => [handleOf(row), row]));
        return handles.map((handle) => byHandle.get(handle));
      }, MAX_BATCH);
    this.jobs = gathered('find');
    this.dead = gathered('findDead');
    this.results = gathered('findResult');
  }

  /** The row of a job that waits or is leased. */
  job(handle: string): Promise<PgRow | undefined> {
    return this.jobs.of(handle);
  }

  deadLetter(handle: string): Promise<PgRow | undefined> {
    return this.dead.of(handle);
  }

  result(handle: string): Promise<PgRow | undefined> {
    return this.results.of(handle);
  }
}

function handleOf(row: PgRow): string {
  return (row as { readonly handle: Buffer }).handle.toString('latin1');
}
