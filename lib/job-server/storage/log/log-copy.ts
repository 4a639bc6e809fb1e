import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  read,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { mkdir, open, truncate } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { StorageError } from '../storage-error.js';
import { storageError } from './file-errors.js';
import { HEADER_BYTES, headerIn } from './record.js';
import { segmentFiles } from './recovery.js';
import { eachRecord } from './segment.js';
import { syncFolder } from './segment-file.js';

const readFrom = promisify(read);

const CHUNK = 1024 * 1024;

/**
 * Copies a log, as one moment has it, to a new folder that nobody owns, also
 * beside its owner. The folder gets its name once all of it is on disk: one that
 * was interrupted stays `PATH.partial`, and is none.
 *
 * All segments are opened before the first is copied: what is deleted meanwhile
 * is copied all the same, and what was copied forward is there at least once.
 */
export async function copyLog(from: string, to: string): Promise<void> {
  const path = resolve(to);
  const partial = `${path}.partial`;
  try {
    if (existsSync(path) && readdirSync(path).length > 0) throw taken(path);
    rmSync(partial, { recursive: true, force: true });
    await mkdir(partial, { recursive: true, mode: 0o700 });
    const files = openAll(from);
    try {
      for (const { name, file } of files) await copyFile(file, join(partial, name));
      const last = files.at(-1);
      if (last) await trim(join(partial, last.name), from);
    } finally {
      for (const { file } of files) closeSync(file);
    }
    await syncFolder(partial);
    if (existsSync(path)) rmSync(path, { recursive: true });
    renameSync(partial, path);
    await syncFolder(join(path, '..'));
  } catch (error) {
    throw storageError(error, path);
  }
}

/** A log's segments, all open for reading. */
function openAll(path: string): { name: string; file: number }[] {
  const files: { name: string; file: number }[] = [];
  for (;;) {
    try {
      for (const name of segmentFiles(path).names) files.push({ name, file: openSync(join(path, name), 'r') });
      return files;
    } catch (error) {
      for (const { file } of files.splice(0)) closeSync(file);
      // One was deleted since the folder was read.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || !existsSync(path)) throw error;
    }
  }
}

async function copyFile(file: number, path: string): Promise<void> {
  const copy = await open(path, 'wx', 0o600);
  try {
    const { size } = fstatSync(file);
    const chunk = Buffer.allocUnsafe(CHUNK);
    for (let done = 0; done < size;) {
      const { bytesRead: count } = await readFrom(file, chunk, 0, Math.min(CHUNK, size - done), done);
      if (count === 0) break;
      await copy.writeFile(chunk.subarray(0, count));
      done += count;
    }
    await copy.sync();
  } finally {
    await copy.close();
  }
}

/** Cuts off what was being written while the last segment was copied. */
async function trim(file: string, path: string): Promise<void> {
  const bytes = readFileSync(file);
  const header = headerIn(bytes, path);
  if (!header) return;
  let end = HEADER_BYTES;
  eachRecord(bytes.subarray(HEADER_BYTES), header.secret, {
    record: (offset, length) => (end = HEADER_BYTES + offset + length),
    damage: () => undefined,
  });
  await truncate(file, end);
}

function taken(path: string): StorageError {
  return new StorageError('GEARMAN_STORAGE_INVALID', `${path} is not empty: name a new folder for the copy`);
}
