import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { StorageError } from '../storage-error.js';
import type { Table } from './lmdb-package.js';

/** Who has a folder open, as written in its file. */
interface Owner {
  /** Tells two storages of one process apart. */
  readonly id: string;
  readonly pid: number;
  /** When the process started, in the kernel's ticks; `''` where the system does not say. */
  readonly started: string;
  /** The machine, and since when it is up; `''` where the system does not say. */
  readonly boot: string;
  readonly host: string;
}

/** The storages this process has open: a left-over entry of this process is told from a living one by it. */
const openHere = new Set<string>();

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
    const owner = { id: randomUUID(), pid: process.pid, started: startOf('self'), boot: bootId(), host: hostname() };
    const claim = (entry?.version ?? 0) + 1;
    void table.put(FolderOwner.KEY, JSON.stringify(owner), claim);
    openHere.add(owner.id);
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
    openHere.delete(this.owner.id);
  }
}

function parseOwner(text: string): Owner | undefined {
  return text === '' ? undefined : (JSON.parse(text) as Owner);
}

function isAlive(owner: Owner): boolean {
  if (owner.boot !== bootId() || owner.host !== hostname()) return false;
  if (owner.pid === process.pid && owner.started === startOf('self')) return openHere.has(owner.id);
  try {
    process.kill(owner.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // The number may have been given to another process since.
  return owner.started === startOf(owner.pid);
}

/** When a process started: field 22 of its stat, behind the name, which may hold anything. */
function startOf(pid: number | 'self'): string {
  const stat = readIfThere(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 1).split(' ')[20] ?? '';
}

function bootId(): string {
  return readIfThere('/proc/sys/kernel/random/boot_id').trim();
}

/** A file of /proc; `''` on systems without it. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
