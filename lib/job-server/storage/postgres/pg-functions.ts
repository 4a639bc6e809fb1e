import type { PgConnection } from './pg-connection.js';
import { bytes, bytesArray, intArray } from './pg-values.js';

/** The functions' numbers, which never change. */
export class PgFunctions {
  private readonly ids = new Map<string, number>();
  private readonly names = new Map<number, string>();

  constructor(private readonly schema: string) {}

  id(name: string): number | undefined {
    return this.ids.get(name);
  }

  /** The name of a number that was made known before. */
  name(id: number): string {
    return this.names.get(id) ?? '';
  }

  /** Has functions numbered that are not. */
  async make(names: Iterable<string>, connection: PgConnection): Promise<void> {
    const missing = [...new Set(names)].filter((name) => !this.ids.has(name));
    if (missing.length === 0) return;
    const values = [bytesArray(missing)];
    const insert = `INSERT INTO ${this.schema}.function (name) SELECT unnest($1::bytea[]) ON CONFLICT DO NOTHING`;
    await connection.query({ text: insert, values });
    const { rows } = await connection.query({
      text: `SELECT id, name FROM ${this.schema}.function WHERE name = ANY($1::bytea[])`,
      values,
    });
    for (const row of rows) this.know(row);
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

  private know(row: unknown): void {
    const { id, name } = row as { readonly id: number; readonly name: Buffer };
    this.ids.set(name.toString('latin1'), id);
    this.names.set(id, name.toString('latin1'));
  }
}
