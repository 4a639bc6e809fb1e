import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { Failure } from '../../failure.js';
import { LineProblem, parseLine } from '../job-line.js';
import { originOf, Unfit, type Incoming, type Source } from '../incoming.js';

/** The jobs of a file that `nestjs-gearman export` wrote. A job is identified by its handle, which is unique. */
export async function* jobsOfExport(file: string): Source {
  const input = createReadStream(file);
  let number = 0;
  try {
    for await (const text of createInterface({ input, crlfDelay: Infinity })) {
      number++;
      if (text !== '') yield jobOfLine(text, `${file}, line ${number}`);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new Failure(`${file} cannot be read: ${(error as Error).message}`, undefined, { cause: error });
  } finally {
    input.destroy();
  }
}

function jobOfLine(text: string, where: string): Incoming | Unfit {
  try {
    const { job, death } = parseLine(text);
    return { job, origin: originOf('export', job.handle), ...(death && { past: death }) };
  } catch (error) {
    if (!(error instanceof LineProblem)) throw error;
    return new Unfit(`${where}: ${error.message}`, { cause: error });
  }
}
