import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { addAll, handlesOf, newJob, NOW, openRecorded, type RecordingListener } from '../recorded-storage.js';
import { segmentsIn } from './segments-in.js';

let folder: string;
let path: string;
let copies = 0;
let storage: LogStorage;
let listener: RecordingListener;

/** Adds so many jobs that a segment is full. */
const fill = (): Promise<string[]> =>
  addAll(storage, ...Array.from({ length: 60 }, () => newJob({ workload: 'x'.repeat(100) })));

/** Maintenance has done what there was to do: a copy is made after it. */
const maintained = (): Promise<void> => storage.backup(join(folder, `copy-${copies++}`));

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gearman-deleting-'));
  path = join(folder, 'jobs');
  storage = new LogStorage({ path }, { segmentBytes: 5_000, idleSlack: 1_000 });
  listener = await openRecorded(storage);
});
afterEach(async () => {
  await storage.close();
  rmSync(folder, { recursive: true });
});

it('while a segment cannot be deleted none behind it is, as they say what of it is over', async () => {
  const [first, second] = [await fill(), await fill()];
  const [oldest] = segmentsIn(path);
  const leased = await storage.lease('reverse', 1, 120, NOW);
  expect(handlesOf(leased)).toEqual([...first, ...second]);
  renameSync(join(path, oldest!), join(folder, 'away'));
  // What deletes files deletes no folder.
  mkdirSync(join(path, oldest!));
  for (const { handle } of leased) storage.done(handle);
  const left = await fill();
  await maintained();
  left.push(...(await fill()));
  await maintained();
  expect(listener.compactions).toMatchObject([{ message: expect.stringContaining(`EISDIR`) }]);
  await storage.close();
  rmdirSync(join(path, oldest!));
  renameSync(join(folder, 'away'), join(path, oldest!));
  const { corrupt } = await openRecorded(storage);
  expect(handlesOf(await storage.lease('reverse', 1, 200, NOW))).toEqual(left);
  expect(corrupt).toEqual([]);
  await maintained();
  expect(segmentsIn(path)).not.toContain(oldest);
});
