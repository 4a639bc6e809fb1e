import { DeadCounts } from '../dead-counts.js';
import type { PgFunctions } from './pg-functions.js';
import type { PgConnection } from './pg-connection.js';

/** How long a count is good, unless this owner changed something, in milliseconds. */
const COUNTED_FOR = 10_000;

/** How long after somebody asked it is still counted, in milliseconds. */
const WANTED_FOR = 60_000;

/** How many dead letters there are, by function: counted now and then, while somebody wants to know. */
export class PgDead {
  /** As last counted. */
  private readonly counts = new DeadCounts();
  private askedAt = performance.now();
  private countedAt = -Infinity;

  constructor(
    private readonly schema: string,
    private readonly functions: PgFunctions,
  ) {}

  /** As last counted; asking has it counted again soon. */
  get latest(): DeadCounts {
    this.askedAt = performance.now();
    return this.counts;
  }

  /** This owner changed something: the last count is old. */
  changed(): void {
    this.countedAt = -Infinity;
  }

  /** Counts if it is time to. */
  async look(connection: PgConnection): Promise<void> {
    const now = performance.now();
    if (now - this.askedAt > WANTED_FOR || now - this.countedAt < COUNTED_FOR) return;
    this.countedAt = now;
    const text = `SELECT function, count(*)::int AS count FROM ${this.schema}.dead GROUP BY function`;
    const rows = (await connection.query({ text })).rows as readonly { function: number; count: number }[];
    await this.functions.learn(
      rows.map((row) => row.function),
      connection,
    );
    this.counts.become(new Map(rows.map((row) => [this.functions.name(row.function), row.count])));
  }
}
