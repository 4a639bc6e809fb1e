import type { JobBeside } from '../job-beside.js';
import { StorageError } from '../storage-error.js';
import { PgConnection } from './pg-connection.js';
import { checkPgOptions, withoutPassword, type CheckedPgOptions, type PgStorageOptions } from './pg-options.js';
import { VERSION } from './pg-schema.js';
import { JOB_COLUMNS, jobOf } from './pg-values.js';

/** How many rows are fetched at a time. */
const ROWS_PER_FETCH = 100;

/** How long the database may take to sort all jobs, in milliseconds. */
const SORT_TIME = 3_600_000;

/**
 * The jobs of a fleet, read beside its job servers, or without one. It owns
 * nothing and writes nothing, so a standby will do, and a role that may read.
 */
export class PgBeside {
  private readonly connection: PgConnection;

  private constructor(private readonly options: CheckedPgOptions) {
    this.connection = new PgConnection(options, { isSynchronous: false, isReading: true, timeout: SORT_TIME });
  }

  /** Rejects with a {@link StorageError}; throws one naming an option that is invalid. */
  static async open(options: Pick<PgStorageOptions, 'url' | 'schema' | 'ssl'>): Promise<PgBeside> {
    const beside = new PgBeside(checkPgOptions(options));
    try {
      await beside.begin();
      return beside;
    } catch (error) {
      await beside.close();
      throw error;
    }
  }

  /** All jobs as the moment of the opening had them: each function's by priority, in their order, then the dead letters. */
  async *read(): AsyncGenerator<JobBeside> {
    const { schema } = this.options;
    const jobs = `SELECT f.name, ${JOB_COLUMNS} FROM ${schema}.jobs j JOIN ${schema}.function f ON f.id = j.function
      ORDER BY j.function, j.priority, j.at > 0, j.at, j.seq`;
    for await (const row of this.rows('jobs', jobs)) yield { is: 'job', job: jobOf(row, nameIn(row)) };
    const letters = `SELECT f.name, ${JOB_COLUMNS}, j.error, j.died_at FROM ${schema}.dead j
      JOIN ${schema}.function f ON f.id = j.function ORDER BY j.died_at, j.seq`;
    for await (const row of this.rows('letters', letters)) {
      const { error, died_at: diedAt } = row as { readonly error: Buffer; readonly died_at: string };
      yield {
        is: 'dead',
        letter: { job: jobOf(row, nameIn(row)), error: error.toString(), diedAt: Number(diedAt) },
      };
    }
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  private async begin(): Promise<void> {
    const { schema, url } = this.options;
    const { connection } = this;
    await connection.query({ text: 'BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY' });
    const { rows: tables } = await connection.query({
      text: 'SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2',
      values: [schema, 'version'],
    });
    if (tables.length === 0) {
      throw new StorageError(
        'GEARMAN_STORAGE_INVALID',
        `the schema ${schema} of ${withoutPassword(url)} holds no jobs: name the one that job servers use`,
      );
    }
    const { rows } = await connection.query({ text: `SELECT version FROM ${schema}.version` });
    const { version } = rows[0] as { readonly version: number };
    if (version === VERSION) return;
    const cure = version < VERSION ? 'start a job server of this version on it' : 'use the newer one';
    throw new StorageError(
      'GEARMAN_STORAGE_VERSION',
      `the schema ${schema} has version ${version} of the tables, and this command reads ${VERSION}: ${cure}`,
    );
  }

  private async *rows(cursor: string, text: string): AsyncGenerator<unknown> {
    await this.connection.query({ text: `DECLARE ${cursor} NO SCROLL CURSOR FOR ${text}` });
    for (;;) {
      const { rows } = await this.connection.query({ text: `FETCH ${ROWS_PER_FETCH} FROM ${cursor}` });
      if (rows.length === 0) return;
      yield* rows;
    }
  }
}

function nameIn(row: unknown): string {
  return (row as { readonly name: Buffer }).name.toString('latin1');
}
