import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { copyFile, open } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { storageError } from '../folder/file-errors.js';
import { makeFolder, syncFolder } from '../folder/folder.js';
import type { JobBeside } from '../job-beside.js';
import { StorageError } from '../storage-error.js';
import { Leasing } from './leasing.js';
import type { LogIndex } from './log-index.js';
import { letterOf } from './listing.js';
import { DEAD } from './record.js';
import { checkForm, readLog, segmentFiles } from './recovery.js';
import { segmentOfName, type Damage, type Segment } from './segment.js';

/** A copy reads and writes so many bytes at a time. */
const CHUNK = 256 * 1024;

/**
 * The jobs of a log, read beside the process that owns it, or without one: its
 * segments are open before the last is read, so none is missed. It owns nothing,
 * writes nothing to the folder and holds no writer up.
 */
export class LogBeside {
  private constructor(
    private readonly index: LogIndex,
    private readonly damages: Damage[],
  ) {}

  /** Rejects with a {@link StorageError}. */
  static async open(folder: string): Promise<LogBeside> {
    const path = resolve(folder);
    checkForm(path);
    if (!hasLog(path)) throw missing(path);
    const damages: Damage[] = [];
    for (;;) {
      try {
        const index = readLog(path, (damage) => damages.push(damage), { isBeside: true });
        return new LogBeside(index, damages);
      } catch (error) {
        // One was deleted since the folder was read.
        const { code } = ((error as StorageError).cause ?? {}) as NodeJS.ErrnoException;
        if (code !== 'ENOENT' || !hasLog(path)) throw storageError(error, path);
        damages.length = 0;
      }
    }
  }

  /** All jobs as this moment has them: each function's by priority, in their order, then the dead letters. */
  *read(): Generator<JobBeside> {
    const { index, damages } = this;
    const leasing = new Leasing(index);
    for (const queue of [...index.queues.values()].sort((one, other) => one.key - other.key)) {
      // Those without a time first.
      for (const until of [-1, Infinity]) {
        for (let entry = leasing.take(queue, until); entry; entry = leasing.take(queue, until)) {
          index.setInMemory(entry.stored!.number);
          yield { is: 'job', job: entry.job };
        }
      }
    }
    for (const { dead } = index; dead.size > 0; dead.pop()) {
      const item = index.isFree(dead.number) ? index.read(dead.number) : undefined;
      if (item?.kind !== DEAD) continue;
      yield { is: 'dead', letter: letterOf(leasing.entryOf(item)) };
    }
    for (const { reason } of damages) yield { is: 'unreadable', reason };
  }

  /** What is kept beside the jobs. */
  settings(): ReadonlyMap<string, string> {
    const { index } = this;
    return new Map([...index.settings].map(([name, { number }]) => [name, index.read(number)?.text ?? '']));
  }

  /** Copies the folder, as this moment has it, to a new one. */
  async copy(path: string): Promise<void> {
    await copyLog(this.index, path);
  }

  async close(): Promise<void> {
    this.index.close();
  }
}

/**
 * Copies a log, as it is known, to a new folder that nobody owns. The folder
 * gets its name once all of it is on disk: an interrupted copy stays
 * `PATH.partial`, and is no log. Meanwhile no segment may be deleted that is
 * not open.
 */
export async function copyLog(index: LogIndex, to: string): Promise<void> {
  const path = resolve(to);
  const partial = `${path}.partial`;
  // What is written from now on is not in it.
  const segments = index.segments.map((segment) => ({ segment, end: segment.end }));
  const { lastSegment } = index;
  try {
    if (existsSync(path) && readdirSync(path).length > 0) throw taken(path);
    rmSync(partial, { recursive: true, force: true });
    makeFolder(partial, 0o700);
    for (const { segment, end } of segments) await copySegment(segment, end, partial);
    for (const name of segmentFiles(index.path)) {
      const isUnreadable = !segments.some(({ segment }) => basename(segment.path) === name);
      if (isUnreadable && segmentOfName(name)!.number <= lastSegment) {
        await copyFile(join(index.path, name), join(partial, name));
      }
    }
    await syncFolder(partial);
    if (existsSync(path)) rmSync(path, { recursive: true });
    renameSync(partial, path);
    await syncFolder(join(path, '..'));
  } catch (error) {
    const isReading = (error as NodeJS.ErrnoException).syscall === 'read';
    throw storageError(error, isReading ? index.path : path);
  }
}

async function copySegment(segment: Segment, end: number, folder: string): Promise<void> {
  const copy = await open(join(folder, basename(segment.path)), 'wx', 0o600);
  try {
    for (let done = 0; done < end; done += CHUNK) {
      await copy.writeFile(segment.read(done, Math.min(CHUNK, end - done)));
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}

function taken(path: string): StorageError {
  return new StorageError('GEARMAN_STORAGE_INVALID', `${path} is not empty: name a new folder for the copy`);
}

function hasLog(path: string): boolean {
  try {
    return readdirSync(path).some((name) => segmentOfName(name));
  } catch {
    return false;
  }
}

function missing(path: string): StorageError {
  return new StorageError(
    'GEARMAN_STORAGE_INVALID',
    `${path} holds no jobs: name the folder that the job server was given as --queue-path`,
  );
}
