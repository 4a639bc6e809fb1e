import { closed, isAlive, newOwner, opened, type Owner } from '../owner.js';
import { StorageError } from '../storage-error.js';
import type { Table } from './lmdb-package.js';

/**
 * One process owns a folder: two would give the same job out twice.
 *
 * The owner's name stands in the file itself and is claimed within a write
 * transaction, which LMDB grants to one process at a time, so two that start
 * together cannot both win. A name whose process is gone is taken over. Should
 * that ever be judged wrongly (another container's process cannot be seen),
 * nothing is lost: the claim has a number, and every write is made only if the
 * number still stands, so who was overtaken writes no more.
 */
export class FolderOwner {
  private constructor(
    private readonly owner: Owner,
    /** The claim's number: the version of the owner's row. */
    readonly claim: number,
  ) {}

  /** The key whose version is the {@link claim}. */
  static readonly KEY = 'owner';

  /** Claims the folder; to be called within a write transaction. Throws GEARMAN_STORAGE_IN_USE. */
  static claim(table: Table<string, string>, path: string): FolderOwner {
    const entry = table.getEntry(FolderOwner.KEY);
    const previous = entry && parseOwner(entry.value);
    if (previous && isAlive(previous)) {
      throw new StorageError(
        'GEARMAN_STORAGE_IN_USE',
        `process ${previous.pid} on ${previous.host} has ${path} open: stop it, or give this job server another folder`,
      );
    }
    const owner = newOwner();
    const claim = (entry?.version ?? 0) + 1;
    void table.put(FolderOwner.KEY, JSON.stringify(owner), claim);
    opened(owner);
    return new FolderOwner(owner, claim);
  }

  /** Writes that nobody has the folder open; to be called within a write transaction. */
  leave(table: Table<string, string>): void {
    if (table.getEntry(FolderOwner.KEY)?.version === this.claim) void table.put(FolderOwner.KEY, '', this.claim + 1);
  }

  /** A copy of a folder is nobody's; to be called within a write transaction. */
  static disown(table: Table<string, string>): void {
    void table.put(FolderOwner.KEY, '', (table.getEntry(FolderOwner.KEY)?.version ?? 0) + 1);
  }

  /** This storage is closed, whether that could be written or not. */
  forget(): void {
    closed(this.owner);
  }
}

function parseOwner(text: string): Owner | undefined {
  return text === '' ? undefined : (JSON.parse(text) as Owner);
}
