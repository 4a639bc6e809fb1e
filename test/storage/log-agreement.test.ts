import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { it, jest } from '@jest/globals';
import { LogStorage } from '../../lib/job-server/storage/index.js';
import { agreesWithMemory, stories, type FolderStorage } from './folder-agreement.js';
import { timesAsLong } from '../support/patience.js';
import { runs } from '../support/runs.js';

jest.setTimeout(timesAsLong(3));

/** A log that forgets, of what it can do without, what `isForgotten` says. */
function logThat(isForgotten: (name: string, at: number) => boolean): FolderStorage {
  return {
    // Segments so small that a story fills many of them: they are sealed, copied forward and deleted all the time.
    make: (path) => new LogStorage({ path }, { segmentBytes: 6_000, idleSlack: 1_000 }),
    forget: async (path) => {
      const names = (await readdir(path)).filter((name) => /checkpoint|index/.test(name)).sort();
      for (const name of names.filter(isForgotten)) await rm(join(path, name));
    },
  };
}

it.each([
  ['its checkpoint and index files, and is read from its beginning', logThat(() => true)],
  ['every other index file, and reads those segments', logThat((name, at) => name !== 'checkpoint' && at % 2 === 0)],
])(
  'says the same as a storage in memory, whatever happens in whatever order: a log that forgets %s',
  async (_, log) => {
    const story = fc.asyncProperty(stories, (steps) => agreesWithMemory(log, steps));
    await fc.assert(story, runs(12));
  },
);
