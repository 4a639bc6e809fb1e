import { StorageError } from '../storage-error.js';

/** What is used of the package `pg`; whoever compiles against this package may not have its types. */
export interface PgPackage {
  readonly Client: new (config: Readonly<Record<string, unknown>>) => PgClient;
}

/** One connection of the package `pg`. */
export interface PgClient {
  connect(): Promise<unknown>;
  query(query: PgQuery): Promise<PgResult>;
  on(event: 'error', listener: (error: Error) => void): void;
  on(event: 'end', listener: () => void): void;
  on(event: 'notice', listener: (notice: { readonly routine?: string; readonly message?: string }) => void): void;
  on(event: 'notification', listener: (message: { readonly payload?: string }) => void): void;
  end(): Promise<void>;
  /** Its socket, to be cut off where it hangs. */
  readonly connection: { readonly stream: { destroy(): void } };
}

/** A statement; with a name it is prepared once a connection. */
export interface PgQuery {
  readonly name?: string;
  readonly text: string;
  readonly values?: readonly unknown[];
  /** How long it may take, in milliseconds; default: as the connection says. */
  readonly query_timeout?: number;
}

/** A row: bytea as Buffer, bigint as text, as `pg` reads them by default. */
export type PgRow = unknown;

export interface PgResult {
  readonly rows: readonly PgRow[];
  readonly rowCount: number | null;
}

/** Loads the package `pg`, an optional peer. */
export async function loadPg(): Promise<PgPackage> {
  try {
    const name = 'pg';
    const loaded = (await import(name)) as PgPackage & { readonly default?: PgPackage };
    return loaded.default ?? loaded;
  } catch (error) {
    throw new StorageError(
      'GEARMAN_STORAGE_MISSING_PACKAGE',
      'a storage in PostgreSQL needs the package pg, which could not be loaded: npm install pg',
      { cause: error },
    );
  }
}
