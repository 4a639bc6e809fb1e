import { StorageError } from '../storage-error.js';

/**
 * What is used of the package `lmdb`. Its own types know nothing of key
 * encoders, and whoever compiles against this package may not have it.
 */
export interface Lmdb {
  open(options: RootOptions): Root;
}

/** The environment all tables live in. */
export interface Root {
  openDB<Value, Key>(name: string, options: TableOptions): Table<Value, Key>;
  /** Runs an action within a write transaction, made durable before it returns; an action that throws leaves no trace. */
  transactionSync<Result>(action: () => Result): Result;
  /** Copies all to a new file in this folder, as one moment has it; compacting, it holds no writer up. */
  backup(path: string, isCompact: boolean): Promise<void>;
  getStats(): RootStats;
  /** Keeps what is now for reading; until it is done, the file cannot use the room of what is deleted. */
  useReadTransaction(): ReadTransaction;
  /** What is read from now on is what is there now, whatever was read in this turn of the event loop. */
  resetReadTxn(): void;
  /** Forgets readers of other processes that are gone. */
  readerCheck(): number;
  close(): Promise<void>;
}

/** One moment of all tables. */
export interface ReadTransaction {
  done(): void;
}

/** How many pages of a file a table takes. */
interface TableStats {
  readonly treeBranchPageCount: number;
  readonly treeLeafPageCount: number;
  readonly overflowPages: number;
}

interface RootStats {
  readonly pageSize: number;
  readonly lastPageNumber: number;
  /** The table of the tables. */
  readonly root: TableStats;
  /** The table of the pages that are in no table. */
  readonly free: TableStats;
}

/** A table of the file. */
export interface Table<Value, Key> {
  getStats(): TableStats;
  get(key: Key, options?: { readonly transaction: ReadTransaction | undefined }): Value | undefined;
  getEntry(key: Key): { readonly value: Value; readonly version?: number } | undefined;
  getRange(range: TableRange<Key>): Iterable<{ readonly key: Key; readonly value: Value }>;
  getKeys(range: TableRange<Key>): Iterable<Key>;
  put(key: Key, value: Value, version?: number): Promise<boolean>;
  remove(key: Key): Promise<boolean>;
  /** Does what `action` puts and removes, in all tables, if the row has this version; resolves whether it had. */
  ifVersion(key: Key, version: number, action: () => void): Promise<boolean>;
}

/** A part of a table, in the order of its keys. */
export interface TableRange<Key> {
  /** The first key; always given, as `lmdb`'s own default knows nothing of key encoders. */
  readonly start: Key | undefined;
  /** Keys come before this one. */
  readonly end?: Key;
  readonly limit?: number;
  readonly exclusiveStart?: boolean;
  /** From `start`, or the last key before it, back to the first key behind `end`, which has to be given. */
  readonly reverse?: boolean;
  /** Reads that moment, not the present one. */
  readonly transaction?: ReadTransaction | undefined;
}

interface RootOptions {
  readonly path: string;
  readonly noSubdir: boolean;
  readonly maxDbs: number;
  readonly permissionsMode: number;
  readonly overlappingSync: boolean;
  readonly eventTurnBatching: boolean;
  readonly noSync?: boolean;
  readonly readOnly?: boolean;
}

/**
 * How every file is opened. `overlappingSync` is off: with it a commit is
 * visible before it is synced, and stays visible when the sync fails.
 * `eventTurnBatching` is off because its own promise rejects unheard when a
 * commit fails, which would end the process.
 */
export const ROOT_OPTIONS = {
  noSubdir: false,
  maxDbs: 16,
  permissionsMode: 0o600,
  overlappingSync: false,
  eventTurnBatching: false,
} as const;

interface TableOptions {
  readonly keyEncoder: object;
  readonly encoder: object;
  readonly useVersions?: boolean;
}

/** Loads the package `lmdb`, an optional peer: only who stores jobs needs it. */
export async function loadLmdb(importPackage: () => Promise<unknown> = () => import('lmdb')): Promise<Lmdb> {
  try {
    return (await importPackage()) as Lmdb;
  } catch (error) {
    throw new StorageError(
      'GEARMAN_STORAGE_MISSING_PACKAGE',
      `a storage of type 'lmdb' needs the package lmdb, which could not be loaded: install it with \`npm i lmdb\``,
      { cause: error },
    );
  }
}
