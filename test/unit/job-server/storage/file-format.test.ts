import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { open } from 'lmdb';
import { expect, it } from '@jest/globals';
import { LmdbStorage } from '../../../../lib/job-server/storage/index.js';
import { ROOT } from '../../../support/built.js';
import { tempDir } from '../../../support/temp-dir.js';
import { addAll, allOf, bytesOf, newJob, NOW, RecordingListener } from '../../../contract/recorded-storage.js';

/** A folder as an earlier version left it: that of commit 32c75f9 wrote format 1, that of f9fdf21 format 2. */
function oldFolder(format: number): string {
  const path = tempDir();
  const file = readFileSync(join(ROOT, `test/fixtures/storage-format-${format}/data.mdb.gz`));
  writeFileSync(join(path, 'data.mdb'), gunzipSync(file));
  return path;
}

async function opened(path: string): Promise<{ storage: LmdbStorage; listener: RecordingListener }> {
  const storage = new LmdbStorage({ path });
  const listener = new RecordingListener();
  await storage.open(listener);
  return { storage, listener };
}

const DEFAULTS = { function: 'reverse', unique: '', priority: 1, reducer: '', at: 0, attempts: 0, losses: 0 };

/** What stands in the old folder's queues, in the order of functions, priorities and times. */
const JOBS = [
  { ...DEFAULTS, handle: 'H:old:2', priority: 0, unique: 'a unique', sequence: 2, workload: '\0\x80\xff\0' },
  { ...DEFAULTS, handle: 'H:old:1', sequence: 1, workload: 'Hello world!' },
  { ...DEFAULTS, handle: 'H:old:4', at: 1_700_000_000_000, sequence: 4, workload: 'later' },
  {
    ...DEFAULTS,
    handle: 'H:old:3',
    priority: 2,
    reducer: 'sum',
    attempts: 3,
    losses: 2,
    sequence: 3,
    workload: 'Hello world!',
  },
  { ...DEFAULTS, handle: 'H:old:5', function: 'fonction \xe9', sequence: 5, workload: 'x'.repeat(10_000) },
];

async function jobsIn(storage: LmdbStorage): Promise<object[]> {
  const jobs = await allOf(storage.iterate());
  return jobs.map((job) => ({ ...job, workload: bytesOf(job.workload).toString('latin1') }));
}

it.each([1, 2])('opens a file of format %i with all that is in it', async (format) => {
  const { storage, listener } = await opened(oldFolder(format));
  expect(await jobsIn(storage)).toEqual(JOBS);
  const counts = { total: [1, 2, 1], waiting: [1, 2, 1], scheduled: [0, 1, 0] };
  expect(storage.count('reverse')).toEqual({ function: 'reverse', ...counts });
  expect(await storage.findByUnique('a unique', 'reverse')).toMatchObject({ job: { handle: 'H:old:2' } });
  const letters = await allOf(storage.deadLetters());
  expect(letters).toMatchObject([{ job: { handle: 'H:old:6' }, error: 'why it died', diedAt: 1_699_000_000_000 }]);
  expect(await storage.findByHandle('H:old:7')).toMatchObject({ state: 'ended', outcome: { result: 'dedne' } });
  expect(listener.corrupt).toEqual([]);
  await storage.close();
});

it.each([1, 2])('goes on with a file of format %i: old records and new ones, in order, also later', async (format) => {
  const path = oldFolder(format);
  const { storage } = await opened(path);
  await addAll(storage, newJob({ handle: 'H:new:1' }), newJob({ handle: 'H:new:2' }));
  await storage.close();
  const { storage: again, listener } = await opened(path);
  const leased = await again.lease('reverse', 1, 10, NOW);
  expect(leased.map(({ handle }) => handle)).toEqual(['H:old:4', 'H:old:1', 'H:new:1', 'H:new:2']);
  for (const { handle } of leased) again.done(handle);
  await again.close();
  const { storage: last } = await opened(path);
  expect(await jobsIn(last)).toEqual(JOBS.filter(({ handle }) => handle !== 'H:old:4' && handle !== 'H:old:1'));
  expect(listener.corrupt).toEqual([]);
  await last.close();
});

it('refuses a file of a later format, says the cure, and leaves it as it is', async () => {
  const path = tempDir();
  const { storage } = await opened(path);
  await storage.close();
  await setFormat(path, 4);
  const before = readFileSync(join(path, 'data.mdb'));
  await expect(new LmdbStorage({ path }).open(new RecordingListener())).rejects.toMatchObject({
    code: 'GEARMAN_STORAGE_VERSION',
    message: 'the file has format 4, this version of nestjs-gearman knows up to 3: use the newer one',
  });
  const used = before.findLastIndex((byte) => byte !== 0) + 1;
  expect(readFileSync(join(path, 'data.mdb')).subarray(0, used).equals(before.subarray(0, used))).toBe(true);
  await setFormat(path, 3);
  await (await opened(path)).storage.close();
});

/** Writes another number where the file says its format. */
async function setFormat(path: string, format: number): Promise<void> {
  const root = open({ path, noSubdir: false, maxDbs: 16 });
  const keyEncoder = { writeKey: (key: string, target: Buffer, at: number) => at + target.write(key, at, 'latin1') };
  const meta = root.openDB({ name: 'meta', encoding: 'binary', keyEncoder } as never) as ReturnType<typeof root.openDB>;
  await meta.put('format', Buffer.from([format]));
  await root.close();
}
