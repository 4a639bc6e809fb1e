import { Gathered } from './gathered.js';
import { splitHandle } from './pg-pack.js';
import type { PgRow } from './pg-package.js';
import { run, type PgParts } from './pg-parts.js';
import { bigArray, bytesArray } from './pg-values.js';

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
        const split = statement === 'find' ? splitColumns(handles) : [];
        const { rows } = await run(parts, 'leaser', statement, [bytesArray(handles), ...split]);
        const byHandle = new Map(rows.map((row) => [handleOf(row), row]));
        return handles.map((handle) => byHandle.get(handle));
      }, MAX_BATCH);
    this.jobs = gathered('find');
    this.dead = gathered('findDead');
    this.results = gathered('findResult');
  }

  /** What there is of a job that waits or is leased, as a row. */
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

/** Handles as packs have them: prefixes, and numbers. */
export function splitColumns(handles: readonly string[]): Buffer[] {
  const split = handles.flatMap((handle) => splitHandle(handle) ?? []);
  return [bytesArray(split.map(({ prefix }) => prefix)), bigArray(split.map(({ number }) => number))];
}

function handleOf(row: PgRow): string {
  return (row as { readonly handle: Buffer }).handle.toString('latin1');
}
