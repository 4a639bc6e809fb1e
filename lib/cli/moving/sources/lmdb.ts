import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { openBeside } from '../../../job-server/storage/index.js';
import { Failure } from '../../failure.js';
import { originOf, Unfit, type Source } from '../incoming.js';

/**
 * The jobs and dead letters of a folder in the form of LMDB, which the job
 * server's storage had before. A job is remembered by its handle, which is like
 * no other. What was kept of ended jobs is not read.
 */
export async function* jobsOfLmdb(folder: string): Source {
  if (!existsSync(join(folder, 'data.mdb'))) {
    throw new Failure(`${folder} has no data.mdb: name the folder that the job server was given as --lmdb-path`);
  }
  const beside = await openBeside(folder);
  try {
    for (const entry of beside.read()) {
      if (entry.is === 'unreadable') yield new Unfit(`${folder}: ${entry.reason}`);
      else if (entry.is === 'job') yield { job: entry.job, origin: originOf('lmdb', entry.job.handle) };
      else {
        const { job, error, diedAt } = entry.letter;
        yield { job, origin: originOf('lmdb', job.handle), death: { error, diedAt } };
      }
    }
  } finally {
    await beside.close();
  }
}
