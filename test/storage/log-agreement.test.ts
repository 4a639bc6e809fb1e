import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { it, jest } from '@jest/globals';
import { LogStorage } from '../../lib/job-server/storage/index.js';
import { agreesWithMemory, stories, type FolderStorage } from './folder-agreement.js';
import { timesAsLong } from '../support/patience.js';
import { runs } from '../support/runs.js';

jest.setTimeout(timesAsLong(3));

const LOG: FolderStorage = {
  // Segments so small that a story fills many of them: they are sealed, copied forward and deleted all the time.
  make: (path) => new LogStorage({ path }, { segmentBytes: 6_000, idleSlack: 1_000 }),
  // The log is read from its beginning then.
  forget: async (path) => {
    for (const name of await readdir(path)) if (/checkpoint|index/.test(name)) await rm(join(path, name));
  },
};

it('says the same as a storage in memory, whatever happens in whatever order', async () => {
  const story = fc.asyncProperty(stories, (steps) => agreesWithMemory(LOG, steps));
  await fc.assert(story, runs(20));
});
