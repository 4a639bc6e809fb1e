import { StorageError } from '../storage-error.js';
import { DiskRoom, type Room } from './disk-room.js';
import { commitError, storageError } from './file-errors.js';
import { copyFolder } from './folder-copy.js';
import { FolderOwner } from './folder-owner.js';
import { makeFolder, syncFolders } from '../folder.js';
import { refuseForeignFile } from './foreign-file.js';
import { loadLmdb, ROOT_OPTIONS, type Lmdb, type Root } from './lmdb-package.js';
import { openTables, type Tables } from './tables.js';

/** What opening an old file and closing it write, at most. */
const OPENING: Room = { tail: 32 * 1024, total: 32 * 1024 };

/** Options of a {@link JobFile}. */
export interface JobFileOptions {
  readonly path: string;
  /** Whether a commit waits until the disk has it. */
  readonly isSynced: boolean;
  /** Brings the tables of an older format up to date; throws for a newer one. Runs in the claim's transaction. */
  readonly prepare: (tables: Tables) => void;
}

/**
 * How often it is looked whether who reads beside this process still lives. A
 * killed `nestjs-gearman export` would keep room from being used for ever.
 */
const WRITES_PER_READER_CHECK = 1_000;

/**
 * The LMDB file of one folder: its tables, and writing to them all or nothing.
 *
 * A write resolves after fdatasync and the synced write of the meta page, and
 * a failed one leaves no trace: see {@link ROOT_OPTIONS}.
 */
export class JobFile {
  private constructor(
    private readonly lmdb: Lmdb,
    private readonly options: JobFileOptions,
    private root: Root | undefined,
    private current: Tables,
    private readonly room: DiskRoom,
    private readonly owner: FolderOwner,
  ) {}

  private copying: Promise<void> = Promise.resolve();
  /** The file is being closed, or is closed for good. */
  private isClosing = false;
  private writes = 0;

  /** Opens or makes the file and claims its folder. Rejects with a {@link StorageError}. */
  static async open(options: JobFileOptions): Promise<JobFile> {
    const lmdb = await loadLmdb();
    let root: Root | undefined;
    let room: DiskRoom | undefined;
    let owner: FolderOwner | undefined;
    try {
      const folders = makeFolder(options.path);
      refuseForeignFile(options.path);
      DiskRoom.forNewFiles(options.path);
      root = openRoot(lmdb, options);
      room = new DiskRoom(options.path);
      room.make(usedBytes(root), OPENING, () => 0);
      const tables = openTables(root);
      root.transactionSync(() => {
        owner = FolderOwner.claim(tables.owner, options.path);
        options.prepare(tables);
      });
      syncFolders(folders);
      return new JobFile(lmdb, options, root, tables, room, owner as FolderOwner);
    } catch (error) {
      owner?.forget();
      room?.close();
      await root?.close();
      throw storageError(error, options.path);
    }
  }

  /** The tables, for reading. They are others after a failed write. Throws a {@link StorageError} while there are none. */
  get tables(): Tables {
    if (!this.root) this.reopen();
    return this.current;
  }

  /**
   * Writes all that `emit` puts and removes, or nothing; resolves when it is
   * on disk. `emit` must not throw. One write at a time.
   *
   * @param room what it may take on disk.
   */
  async write(room: Room, emit: (tables: Tables) => void): Promise<void> {
    const tables = this.tablesWithRoom(room);
    let isOurs: boolean;
    try {
      isOurs = await tables.owner.ifVersion(FolderOwner.KEY, this.owner.claim, () => emit(tables));
      if (++this.writes % WRITES_PER_READER_CHECK === 0) this.root?.readerCheck();
    } catch (error) {
      const cause = await commitError(error);
      await this.recover();
      throw storageError(cause, this.options.path);
    }
    if (!isOurs) throw takenOver(this.options.path);
  }

  /** Tells this owner's from others. */
  get claim(): number {
    return this.owner.claim;
  }

  /** Throws GEARMAN_STORAGE_TAKEN_OVER unless the folder is still this owner's. */
  checkOwner(): void {
    const { tables } = this;
    this.root?.resetReadTxn();
    if (tables.owner.getEntry(FolderOwner.KEY)?.version !== this.owner.claim) throw takenOver(this.options.path);
  }

  /** Copies the file as it is to a new folder, without the room that is free in it. */
  async copy(path: string): Promise<void> {
    const { lmdb, root } = this;
    if (!root) throw unusable(this.options.path);
    const copy = copyFolder(lmdb, root, path);
    this.copying = copy.catch(() => undefined);
    await copy;
  }

  /** Gives the folder up and closes the file. */
  async close(): Promise<void> {
    await this.copying;
    try {
      const tables = this.tablesWithRoom(OPENING);
      this.root?.transactionSync(() => this.owner.leave(tables.owner));
    } catch {
      // A full or failed disk: the name stays, and is known as nobody's by its process.
    } finally {
      this.owner.forget();
      this.isClosing = true;
      this.room.close();
      await this.root?.close();
      this.root = undefined;
    }
  }

  /** The tables, once there is room for a write. Throws a {@link StorageError}. */
  private tablesWithRoom(room: Room): Tables {
    const { tables } = this;
    // Read after them: they may have opened it again.
    const { root } = this;
    try {
      if (root) this.room.make(usedBytes(root), room, () => reusableBytes(root, tables));
      return tables;
    } catch (error) {
      throw storageError(error, this.options.path);
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
    this.isClosing = true;
    await root?.close();
    this.isClosing = false;
    try {
      this.reopen();
    } catch {
      // Who needs it next tries again, and is told the reason.
    }
  }

  private reopen(): void {
    const { path } = this.options;
    if (this.isClosing) throw unusable(path);
    let root: Root | undefined;
    try {
      root = openRoot(this.lmdb, this.options);
      this.current = openTables(root);
      this.root = root;
    } catch (error) {
      void root?.close();
      throw storageError(error, path);
    }
  }
}

/** How much of the file is LMDB's. */
function usedBytes(root: Root): number {
  const { lastPageNumber, pageSize } = root.getStats();
  return (lastPageNumber + 1) * pageSize;
}

/**
 * How much of that LMDB can write to again: half of what is in no table, as
 * what was freed last has to stay for a while.
 */
function reusableBytes(root: Root, tables: Tables): number {
  const stats = root.getStats();
  const inUse = [stats.root, stats.free, ...Object.values(tables).map((table) => table.getStats())];
  const pages = inUse.reduce(
    (sum, stat) => sum + stat.treeBranchPageCount + stat.treeLeafPageCount + stat.overflowPages,
    0,
  );
  return ((stats.lastPageNumber + 1 - pages) * stats.pageSize) / 2;
}

function openRoot(lmdb: Lmdb, { path, isSynced }: JobFileOptions): Root {
  return lmdb.open({ ...ROOT_OPTIONS, path, noSync: !isSynced });
}

function takenOver(path: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_TAKEN_OVER',
    `another process has taken ${path} over: this one stores no more, stop it`,
  );
}

function unusable(path: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_IO',
    `the file in ${path} is being opened again after a failed write: try again`,
  );
}
