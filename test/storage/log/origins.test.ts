import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { LogWriter } from '../../../lib/job-server/storage/log/log-writer.js';
import type { OpenLog } from '../../../lib/job-server/storage/log/open-log.js';
import { newJob, RecordingListener } from '../recorded-storage.js';

let path: string;
let storage: LogStorage;

const origins = Array.from({ length: 20 }, (_, index) => `elsewhere/${index}`);

/** Takes a job from each origin, which ends at once. */
async function take(): Promise<unknown[]> {
  const outcomes: unknown[] = [];
  for (const origin of origins) {
    const job = newJob();
    outcomes.push(await storage.addOnce(job, origin));
    if (outcomes.at(-1) !== 'added') continue;
    await storage.leaseOne(job.handle);
    storage.done(job.handle);
  }
  return outcomes;
}

const log = (): OpenLog => storage['opening'].opened;

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'gearman-origins-'));
  storage = new LogStorage({ path });
  await storage.open(new RecordingListener());
});
afterEach(async () => {
  jest.restoreAllMocks();
  await storage.close();
  rmSync(path, { recursive: true });
});

it('what is forgotten while it is copied forward does not come back', async () => {
  await take();
  const { index, maintenance, commit, rewrite } = log();
  const { write } = LogWriter.prototype;
  let copied: Promise<void> | undefined;
  jest.spyOn(LogWriter.prototype, 'write').mockImplementation(function (this: LogWriter, changes) {
    // As maintenance does it, which may begin at any time.
    copied ??= maintenance.without(async () => {
      const { first } = index.segments[0]!;
      for (let number = first; number < index.segments.at(-1)!.next; number++) rewrite.call(log(), number);
      await commit.flush();
    });
    return write.call(this, changes);
  });
  storage.set('something', 'to be written');
  expect(await storage.forgetOrigins()).toBe(origins.length);
  await copied;
  expect(await take()).toEqual(origins.map(() => 'added'));
});
