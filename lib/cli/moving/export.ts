import { once } from 'node:events';
import { open, rename, type FileHandle } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { JobBeside } from '../../job-server/storage/index.js';
import type { Command } from '../command.js';
import { Failure, UsageFailure } from '../failure.js';
import { helpText } from '../options/help-text.js';
import { valued } from '../options/option.js';
import { parseOptions } from '../options/parse-options.js';
import { text } from '../options/values.js';
import { beside, BESIDE_OPTIONS, besideFleet } from './beside.js';
import { databaseOf, FLEET_DATABASE } from './fleet-database.js';
import { lineOf } from './job-line.js';
import { queuePathOf } from './queue-path.js';

const OPTIONS = {
  ...BESIDE_OPTIONS,
  ...FLEET_DATABASE,
  to: valued('The file. Default: standard output.', text, { argument: 'FILE' }),
} as const;

const INTRO = `nestjs-gearman export --queue-path DIR [--to FILE]
nestjs-gearman export --pg-url URL [--to FILE]

Writes all jobs that wait, are delayed or run, and the dead letters, as they are at one moment: a
line of JSON each, while the job server runs. nestjs-gearman import --from export FILE reads them.`;

const OUTRO =
  'A password can stand in PGPASSWORD instead of the URL. --pg-url needs the package pg; a standby will do.';

/** The jobs of a storage that is read beside its job server. */
interface Jobs {
  read(): Iterable<JobBeside> | AsyncIterable<JobBeside>;
}

/** How many jobs were written. */
interface ExportCounts {
  jobs: number;
  dead: number;
  unreadable: number;
}

/** `nestjs-gearman export`. */
export const exportCommand: Command = {
  options: OPTIONS,
  help: () => helpText(INTRO, [{ title: 'Options', options: OPTIONS }], OUTRO),
  async run(line, { stdout, stderr, signal }) {
    const { values, words } = parseOptions(OPTIONS, line);
    const { to } = values;
    if (words.length > 0) throw new UsageFailure('where to? nestjs-gearman export --to FILE');
    const database = databaseOf(values);
    if (database && queuePathOf(values) !== undefined) {
      throw new UsageFailure('--queue-path and --pg-url: choose one');
    }
    const writeAll = async (jobs: Jobs): Promise<void> => {
      const all = (write: Write): Promise<ExportCounts> => writeJobs(jobs, write, signal);
      const counts = to === undefined ? await all(writeTo(stdout, signal)) : await toFile(to, all);
      stderr.write(`nestjs-gearman: exported ${counts.jobs} jobs and ${counts.dead} dead letters\n`);
      if (counts.unreadable > 0) throw new Failure(`${counts.unreadable} records cannot be read and were left out`);
    };
    await (database ? besideFleet(database, writeAll) : beside(values, writeAll));
  },
};

/** How many characters are written at once. */
const CHUNK = 64 * 1024;

/** Writes a text, and resolves when there is room for more. */
type Write = (text: string) => Promise<void>;

async function writeJobs(jobs: Jobs, write: Write, signal: AbortSignal): Promise<ExportCounts> {
  const counts: ExportCounts = { jobs: 0, dead: 0, unreadable: 0 };
  const now = Date.now();
  let chunk = '';
  for await (const entry of jobs.read()) {
    if (entry.is === 'unreadable') counts.unreadable++;
    else if (entry.is === 'dead') {
      counts.dead++;
      chunk += lineOf(entry.letter.job, now, entry.letter);
    } else {
      counts.jobs++;
      chunk += lineOf(entry.job, now);
    }
    if (chunk.length < CHUNK) continue;
    await write(chunk);
    chunk = '';
    if (signal.aborted) break;
  }
  await write(chunk);
  if (signal.aborted) throw new Failure('interrupted: what was written is not all');
  return counts;
}

/** Writes to a stream until `signal` aborts, because then perhaps nobody reads it. */
function writeTo(output: Writable, signal: AbortSignal): Write {
  return async (text) => {
    if (output.write(text)) return;
    try {
      await once(output, 'drain', { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  };
}

/** Gives the file its name when all of it is on disk; after an interruption it stays `FILE.partial`. */
async function toFile(path: string, action: (write: Write) => Promise<ExportCounts>): Promise<ExportCounts> {
  const partial = `${path}.partial`;
  let file: FileHandle | undefined;
  try {
    file = await open(partial, 'w', 0o600);
    const opened = file;
    const counts = await action((text) => opened.appendFile(text));
    await file.sync();
    await rename(partial, path);
    return counts;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    throw new Failure(`${path} cannot be written: ${(error as Error).message}`, undefined, { cause: error });
  } finally {
    await file?.close();
  }
}
