import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { join } from 'node:path';
import { StorageError } from '../storage-error.js';

/** What stands in the header of LMDB's first page, in the machine's byte order; where, depends on LMDB's version. */
const MAGIC = 0xbeefc0de;
const HEADER_BYTES = 64;

/** Refuses a file that is none of LMDB's, which would end the process (up to lmdb 3.5.6). A missing or empty one is new. */
export function refuseForeignFile(folder: string): void {
  const header = headerOf(join(folder, 'data.mdb'));
  const read = endianness() === 'LE' ? header.readUInt32LE : header.readUInt32BE;
  for (let at = 0; at + 4 <= header.length; at += 4) if (read.call(header, at) === MAGIC) return;
  if (header.length === 0) return;
  throw new StorageError(
    'GEARMAN_STORAGE_CORRUPT',
    `the file data.mdb in ${folder} is none of a job server's, or damaged: move it away, and put a backup in its place`,
  );
}

function headerOf(path: string): Buffer {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    return header.subarray(0, readSync(file, header));
  } finally {
    closeSync(file);
  }
}
