import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { JobsBeside } from './jobs-beside.js';
import { LmdbBeside } from './lmdb/jobs-beside.js';
import { LogBeside } from './log/log-beside.js';

/** Opens a folder of jobs, whatever form it has, beside its owner. Rejects with a {@link StorageError}. */
export async function openBeside(folder: string): Promise<JobsBeside> {
  return existsSync(join(folder, 'data.mdb')) ? LmdbBeside.open(folder) : LogBeside.open(folder);
}
