import { mkdirSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { StorageError } from '../storage-error.js';
import { FolderOwner } from './folder-owner.js';
import { loadLmdb, type Lmdb, type Root } from './lmdb-package.js';
import { openTables, type Tables } from './tables.js';

/** Options of a {@link JobFile}. */
export interface JobFileOptions {
  readonly path: string;
  /** Whether a commit waits until the disk has it. */
  readonly isSynced: boolean;
  /** Brings the tables of an older format up to date; throws for a newer one. Runs in the claim's transaction. */
  readonly prepare: (tables: Tables) => void;
}

/**
 * The LMDB file of one folder: its tables, and writing to them all or nothing.
 *
 * `overlappingSync` is off: with it a commit is visible before it is synced,
 * and stays visible when the sync fails. Without it a write resolves after
 * fdatasync and the synced write of the meta page, and a failed one leaves no
 * trace. `eventTurnBatching` is off because its own promise rejects unheard
 * when a commit fails, which would end the process.
 */
export class JobFile {
  private constructor(
    private readonly lmdb: Lmdb,
    private readonly options: JobFileOptions,
    private root: Root | undefined,
    private current: Tables,
    private readonly owner: FolderOwner,
  ) {}

  private copying: Promise<void> = Promise.resolve();

  /** Opens or makes the file and claims its folder. Rejects with a {@link StorageError}. */
  static async open(options: JobFileOptions): Promise<JobFile> {
    const lmdb = await loadLmdb();
    let root: Root | undefined;
    let owner: FolderOwner | undefined;
    try {
      mkdirSync(options.path, { recursive: true });
      root = openRoot(lmdb, options);
      const tables = openTables(root);
      root.transactionSync(() => {
        owner = FolderOwner.claim(tables.owner, options.path);
        options.prepare(tables);
      });
      return new JobFile(lmdb, options, root, tables, owner as FolderOwner);
    } catch (error) {
      owner?.forget();
      await root?.close();
      throw await storageError(error, options.path);
    }
  }

  /** The tables, for reading. They are others after a failed write. */
  get tables(): Tables {
    if (!this.root) throw unusable(this.options.path);
    return this.current;
  }

  /**
   * Writes all that `emit` puts and removes, or nothing; resolves when it is
   * on disk. `emit` must not throw. One write at a time.
   */
  async write(emit: (tables: Tables) => void): Promise<void> {
    let isOurs: boolean;
    try {
      if (!this.root) this.reopen();
      const { tables } = this;
      isOurs = await tables.owner.ifVersion(FolderOwner.KEY, this.owner.claim, () => emit(tables));
    } catch (error) {
      const cause = await commitError(error);
      await this.recover();
      throw await storageError(cause, this.options.path);
    }
    if (!isOurs) {
      throw new StorageError(
        'GEARMAN_STORAGE_TAKEN_OVER',
        `another process has taken ${this.options.path} over: this one stores no more, stop it`,
      );
    }
  }

  /** Copies the file as it is to a new folder, without the room that is free in it. */
  async copy(path: string): Promise<void> {
    const { root } = this;
    if (!root) throw unusable(this.options.path);
    try {
      mkdirSync(path, { recursive: true });
      const copy = root.backup(path, true);
      this.copying = copy.catch(() => undefined);
      await copy;
    } catch (error) {
      throw await storageError(error, path);
    }
  }

  /** Gives the folder up and closes the file. */
  async close(): Promise<void> {
    await this.copying;
    try {
      this.root?.transactionSync(() => this.owner.leave(this.current.owner));
    } catch {
      // A full or failed disk: the name stays, and is known as nobody's by its process.
    } finally {
      this.owner.forget();
      await this.root?.close();
      this.root = undefined;
    }
  }

  /**
   * After a failed commit the environment is opened anew: when it was the meta
   * page that could not be written, LMDB refuses all further work, and lmdb-js
   * would wait for ever in its next write.
   */
  private async recover(): Promise<void> {
    await this.copying;
    const { root } = this;
    this.root = undefined;
    await root?.close();
    try {
      this.reopen();
    } catch {
      // The next write tries again, and rejects with the reason.
    }
  }

  private reopen(): void {
    const root = openRoot(this.lmdb, this.options);
    this.current = openTables(root);
    this.root = root;
  }
}

function openRoot(lmdb: Lmdb, { path, isSynced }: JobFileOptions): Root {
  return lmdb.open({
    path,
    noSubdir: false,
    maxDbs: 16,
    permissionsMode: 0o600,
    overlappingSync: false,
    eventTurnBatching: false,
    noSync: !isSynced,
  });
}

/** Why a commit failed: lmdb-js tells it by a promise on the error, which rejects on its own. */
async function commitError(error: unknown): Promise<unknown> {
  try {
    await (error as { commitError?: Promise<never> }).commitError;
    return error;
  } catch (cause) {
    return cause;
  }
}

const EIO = 5;
const EACCES = 13;
const ENOSPC = 28;
const EROFS = 30;
const EDQUOT = 122;
const MDB_MAP_FULL = -30792;
const MDB_CORRUPTED = -30796;
const MDB_PAGE_NOTFOUND = -30797;
const MDB_INVALID = -30793;

/** An error of LMDB or the file system, as a reason and a cure. */
async function storageError(error: unknown, path: string): Promise<StorageError> {
  if (error instanceof StorageError) return error;
  const { code, message } = error as { code?: number | string; message?: string };
  const options = { cause: error };
  if (code === ENOSPC || code === EDQUOT || code === MDB_MAP_FULL || code === 'ENOSPC' || (await isDiskFull(path))) {
    return new StorageError('GEARMAN_STORAGE_FULL', `the disk of ${path} is full: make room`, options);
  }
  if (code === EROFS || code === EACCES || code === 'EROFS' || code === 'EACCES') {
    return new StorageError(
      'GEARMAN_STORAGE_READ_ONLY',
      `${path} cannot be written (${message}): mount it read-write, or give the job server's user the right to write`,
      options,
    );
  }
  if (code === MDB_CORRUPTED || code === MDB_PAGE_NOTFOUND || code === MDB_INVALID) {
    return new StorageError(
      'GEARMAN_STORAGE_CORRUPT',
      `the file in ${path} is damaged (${message}): move the folder away and put a backup in its place`,
      options,
    );
  }
  const reason = code === EIO ? 'the disk failed (Input/output error)' : `writing failed (${message})`;
  return new StorageError('GEARMAN_STORAGE_IO', `${reason} in ${path}: check the disk and the system's log`, options);
}

/** LMDB takes a write cut short by a full disk for a failure of the disk. */
async function isDiskFull(path: string): Promise<boolean> {
  try {
    return (await statfs(path)).bavail === 0;
  } catch {
    return false;
  }
}

function unusable(path: string): StorageError {
  return new StorageError('GEARMAN_STORAGE_IO', `the file in ${path} could not be opened again after a failed write`);
}
