import { randomUUID } from 'node:crypto';
import { existsSync, linkSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '../storage-error.js';

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

const NAME = /^owner-(\d+)$/;

/** The storages this process has open: a left-over file of this process is told from a living one by it. */
const openHere = new Set<string>();

/**
 * One process owns a folder: two would give the same job out twice.
 *
 * Each claim makes a file `owner-N` that must not be there, with a number one
 * higher than the last: of two that start together one wins. A claim whose
 * process is gone is followed by the next. Should that ever be judged wrongly
 * (another container's process cannot be seen), nothing is lost: who was
 * followed finds that out before it tells anybody that something is durable,
 * and who follows reads the log after it has made its claim (fencing).
 */
export class FolderOwner {
  private readonly next: string;

  private constructor(
    private readonly path: string,
    private readonly id: string,
    /** The claim's number. */
    readonly claim: number,
  ) {
    this.next = join(path, `owner-${claim + 1}`);
  }

  /** Claims the folder. Throws GEARMAN_STORAGE_IN_USE, or what the file system throws. */
  static claim(path: string): FolderOwner {
    for (;;) {
      const last = claimsIn(path).at(-1) ?? 0;
      const previous = last > 0 ? ownerIn(path, last) : undefined;
      if (previous && isAlive(previous)) {
        throw new StorageError(
          'GEARMAN_STORAGE_IN_USE',
          `process ${previous.pid} on ${previous.host} has ${path} open: stop it, or give this job server another folder`,
        );
      }
      const owner = { id: randomUUID(), pid: process.pid, started: startOf('self'), boot: bootId(), host: hostname() };
      try {
        makeFile(join(path, `owner-${last + 1}`), JSON.stringify(owner));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      openHere.add(owner.id);
      for (const old of claimsIn(path)) if (old <= last) rmSync(join(path, `owner-${old}`), { force: true });
      return new FolderOwner(path, owner.id, last + 1);
    }
  }

  /** Throws GEARMAN_STORAGE_TAKEN_OVER unless the folder is still this owner's. */
  check(): void {
    if (!existsSync(this.next) && existsSync(join(this.path, `owner-${this.claim}`))) return;
    throw new StorageError(
      'GEARMAN_STORAGE_TAKEN_OVER',
      `another process has taken ${this.path} over: this one stores no more, stop it`,
    );
  }

  /** Nobody has the folder open; its file stays, so that numbers do not come again. */
  leave(): void {
    openHere.delete(this.id);
    try {
      if (!existsSync(this.next)) writeFileSync(join(this.path, `owner-${this.claim}`), '');
    } catch {
      // A full or failed disk: the name stays, and is known as nobody's by its process.
    }
  }
}

/** Makes a file that must not be there; nobody sees it without its text. */
function makeFile(path: string, text: string): void {
  const draft = `${path}.${randomUUID()}`;
  try {
    writeFileSync(draft, text, { flag: 'wx', mode: 0o600 });
    linkSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

function claimsIn(path: string): number[] {
  const numbers = readdirSync(path).map((name) => Number(NAME.exec(name)?.[1] ?? 0));
  return numbers.filter((number) => number > 0).sort((one, other) => one - other);
}

/** Who made a claim; undefined where it left, or died before it could say who it is. */
function ownerIn(path: string, claim: number): Owner | undefined {
  const text = readIfThere(join(path, `owner-${claim}`));
  try {
    return JSON.parse(text) as Owner;
  } catch {
    return undefined;
  }
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

/** A file's text; `''` where there is none. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
