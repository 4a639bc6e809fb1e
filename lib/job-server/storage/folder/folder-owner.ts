import { randomUUID } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  linkSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { closed, isAlive, newOwner, opened, readIfThere, type Owner } from './owner.js';
import { StorageError } from '../storage-error.js';

const NAME = /^owner-(\d+)$/;

/**
 * One process owns a folder: two would give the same job out twice.
 *
 * Each claim makes a file `owner-N` that must not be there, with a number one
 * higher than the last: of two that start together one wins. Where the process
 * of a claim is gone, the next claim takes the folder over. Should a process be
 * taken for gone that is not (that of another container cannot be seen),
 * nothing is lost: the new owner empties the file of the old one, and reads the
 * log after that; the old owner looks at its file, which it has open, after
 * each write and before it tells anybody that something is durable (fencing).
 */
export class FolderOwner {
  private readonly file: number;

  private constructor(
    private readonly path: string,
    private readonly owner: Owner,
    /** The claim's number. */
    readonly claim: number,
  ) {
    this.file = openSync(join(path, `owner-${claim}`), 'r+');
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
      const owner = newOwner();
      try {
        makeFile(join(path, `owner-${last + 1}`), JSON.stringify(owner));
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
        throw error;
      }
      opened(owner);
      for (const old of claimsIn(path)) if (old <= last) revoke(join(path, `owner-${old}`));
      return new FolderOwner(path, owner, last + 1);
    }
  }

  /** Throws GEARMAN_STORAGE_TAKEN_OVER unless the folder is still this owner's: it is, while its file has its name and text. */
  check(): void {
    const { nlink, size } = fstatSync(this.file);
    if (nlink > 0 && size > 0) return;
    throw new StorageError(
      'GEARMAN_STORAGE_TAKEN_OVER',
      `another process has taken ${this.path} over: this one stores no more, stop it`,
    );
  }

  /** Nobody has the folder open; its file stays, empty, so that numbers do not come again. */
  leave(): void {
    closed(this.owner);
    try {
      ftruncateSync(this.file);
    } catch {
      // A full or failed disk: the text stays, and once this process is gone everybody sees that the
      // claim is.
    }
    closeSync(this.file);
  }
}

/**
 * Tells an owner that its folder was taken over. Emptied first: a network file system may keep an
 * open file under another name.
 */
function revoke(path: string): void {
  try {
    truncateSync(path);
    rmSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
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
