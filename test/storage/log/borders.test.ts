import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it, jest } from '@jest/globals';
import { LogStorage, MAX_TIME } from '../../../lib/job-server/storage/index.js';
import { Batch } from '../../../lib/job-server/storage/log/batch.js';
import { Name } from '../../../lib/job-server/storage/log/names.js';
import { headerBytes, JOB } from '../../../lib/job-server/storage/log/record.js';
import { segmentName } from '../../../lib/job-server/storage/log/segment.js';
import { timesAsLong } from '../../support/patience.js';
import { runs } from '../../support/runs.js';
import { tempDir } from '../../support/temp-dir.js';
import { agreesWithMemory, stories } from '../folder-agreement.js';
import { addAll, allOf, newJob, openRecorded } from '../recorded-storage.js';

jest.setTimeout(timesAsLong(3));

/** Makes a log whose one job is over, so that the next one has this number and this sequence. */
function begin(path: string, next: number): void {
  const header = { number: 1, first: next - 1, previousEnd: 0, claim: 1, seed: 2 ** 32 - 1, secret: 2 ** 31 };
  const queue = { key: 1, name: new Name(0, 'f'), lastSequence: 0 };
  const batch = new Batch();
  batch.begin(header.secret, header.first, headerBytes(header));
  batch.together(0);
  const job = { ...newJob({ function: 'f' }), sequence: next - 1 };
  batch.over(batch.put(JOB, queue, job, undefined, undefined), queue.key);
  mkdirSync(path);
  writeFileSync(join(path, segmentName(header)), batch.finish());
}

it.each([31, 32])('a log says the same as memory when its numbers and sequences pass 2^%i', async (bits) => {
  const story = fc.asyncProperty(stories, fc.nat({ max: 60 }), (steps, before) => {
    const make = (path: string): LogStorage => {
      if (!existsSync(path)) begin(path, 2 ** bits - before);
      return new LogStorage({ path }, { segmentBytes: 6_000, idleSlack: 1_000 });
    };
    return agreesWithMemory({ make, forget: (path) => rm(join(path, 'checkpoint'), { force: true }) }, steps);
  });
  await fc.assert(story, runs(6));
});

it('a log keeps times of any size a job can be given, and their order', async () => {
  const times = [31, 32, 35, 42, 48].flatMap((bits) => [2 ** bits - 2, 2 ** bits - 1, 2 ** bits]).slice(0, -1);
  expect(times.at(-1)).toBe(MAX_TIME);
  const storage = new LogStorage({ path: tempDir() });
  await openRecorded(storage);
  const jobs = times.map((at) => newJob({ at, acceptedAt: at }));
  const handles = await addAll(storage, ...[...jobs].reverse());
  const [late] = await addAll(storage, newJob());
  await storage.leaseOne(late!);
  storage.bury(late!, 'boom', MAX_TIME);
  await storage.close();
  await openRecorded(storage);
  for (const job of jobs) {
    expect(storage.due(job.at - 1)).toEqual({ ready: [], next: job.at });
    expect(await storage.lease('reverse', 1, 9, job.at - 1)).toEqual([]);
    expect(storage.oldest('reverse', 1, job.at)).toBe(job.at);
    expect(await storage.lease('reverse', 1, 9, job.at)).toMatchObject([job]);
  }
  for (const handle of handles) storage.done(handle, { state: 'complete', result: '', keepUntil: MAX_TIME });
  await storage.close();
  await openRecorded(storage);
  expect(await allOf(storage.deadLetters())).toMatchObject([{ diedAt: MAX_TIME }]);
  expect(await storage.forget(MAX_TIME - 1)).toBe(0);
  expect(await storage.forget(MAX_TIME)).toBe(times.length);
  await storage.close();
});
