import { createHash } from 'node:crypto';
import type { PgConnection } from './pg-connection.js';
import { bytes, bytesArray, intArray } from './pg-values.js';

/**
 * How many numbers are tried for a name; the chance that two names have the same first one is one
 * in two thousand million.
 */
const MAX_TRIES = 100;

/**
 * The functions' numbers. They follow from the names: a database that has lost its
 * last moments, as a standby may have that took over, would else give a function
 * the number that a job server knows another one by.
 */
export class PgFunctions {
  private readonly ids = new Map<string, number>();
  private readonly names = new Map<number, string>();
  /** When all known functions were last written to the database: the connection's `connects` of then. */
  private keptFor = 0;

  constructor(private readonly schema: string) {}

  id(name: string): number | undefined {
    return this.ids.get(name);
  }

  /** The name of a number that was made known before. */
  name(id: number): string {
    return this.names.get(id) ?? '';
  }

  /** Gives numbers to functions that have none. */
  async make(names: Iterable<string>, connection: PgConnection): Promise<void> {
    let missing = [...new Set(names)].filter((name) => !this.ids.has(name));
    for (let turn = 0; missing.length > 0; turn++) {
      if (turn === MAX_TRIES) throw new Error(`no number is free for the function ${missing[0]}`);
      const numbers = missing.map((name) => numberOf(name, turn));
      await this.insert(missing, numbers, connection);
      const { rows } = await connection.query({
        text: `SELECT id, name FROM ${this.schema}.function WHERE name = ANY($1::bytea[])`,
        values: [bytesArray(missing)],
      });
      for (const row of rows) this.know(row);
      missing = missing.filter((name) => !this.ids.has(name));
    }
  }

  /**
   * Writes all known functions again where the connection was lost since: the database may have
   * lost them with its last moments.
   */
  async keep(connection: PgConnection): Promise<void> {
    if (connection.connects === this.keptFor) return;
    const known = [...this.ids];
    await this.insert(
      known.map(([name]) => name),
      known.map(([, id]) => id),
      connection,
    );
    this.keptFor = connection.connects;
  }

  /** Looks up a function that another job server may have numbered; undefined when nobody has. */
  async find(name: string, connection: PgConnection): Promise<number | undefined> {
    const known = this.ids.get(name);
    if (known !== undefined) return known;
    const text = `SELECT id, name FROM ${this.schema}.function WHERE name = $1`;
    const { rows } = await connection.query({ text, values: [bytes(name)] });
    for (const row of rows) this.know(row);
    return this.ids.get(name);
  }

  /** Looks up the names of numbers. */
  async learn(ids: Iterable<number>, connection: PgConnection): Promise<void> {
    const missing = [...new Set(ids)].filter((id) => !this.names.has(id));
    if (missing.length === 0) return;
    const text = `SELECT id, name FROM ${this.schema}.function WHERE id = ANY($1::int[])`;
    const { rows } = await connection.query({ text, values: [intArray(missing)] });
    for (const row of rows) this.know(row);
  }

  private async insert(names: readonly string[], ids: readonly number[], connection: PgConnection): Promise<void> {
    const text = `INSERT INTO ${this.schema}.function (id, name) OVERRIDING SYSTEM VALUE
      SELECT * FROM unnest($1::int[], $2::bytea[]) f (id, name) ORDER BY name ON CONFLICT DO NOTHING`;
    await connection.query({ text, values: [intArray(ids), bytesArray(names)] });
  }

  private know(row: unknown): void {
    const { id, name } = row as { readonly id: number; readonly name: Buffer };
    this.ids.set(name.toString('latin1'), id);
    this.names.set(id, name.toString('latin1'));
  }
}

/** A number for a name, above 0; where another name has it, the one of the next turn. */
function numberOf(name: string, turn: number): number {
  const digest = createHash('sha256').update(`${turn} `).update(bytes(name)).digest();
  return digest.readUInt32BE() >>> 1 || 1;
}
