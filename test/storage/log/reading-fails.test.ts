import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { add, addAll, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

it('a log whose disk fails at reading gives out no job that it cannot read, says why, takes new ones, and goes on', async () => {
  const path = mkdtempSync(join(tmpdir(), 'gearman-log-'));
  const storage = new LogStorage({ path });
  await storage.open(new RecordingListener());
  const [first, second] = await addAll(storage, newJob({ unique: 'u' }), newJob());
  await storage.close();
  const listener = new RecordingListener();
  await storage.open(listener);
  const segment = join(path, '0000000001-1.log');
  renameSync(segment, join(path, 'away'));
  // A folder can be opened as a file can, and not be read.
  mkdirSync(segment);
  const refusal = {
    code: 'GEARMAN_STORAGE_IO',
    message: expect.stringMatching(/^reading failed \(EISDIR.*\) in .*: check the disk/),
  };
  await expect(storage.lease('reverse', 1, 9, NOW)).rejects.toMatchObject(refusal);
  await expect(storage.findByHandle(second!)).rejects.toMatchObject(refusal);
  await expect(add(storage, newJob({ unique: 'u' }), false).stored).rejects.toMatchObject(refusal);
  expect(storage.count('reverse').total).toEqual([0, 2, 0]);
  const [third] = await addAll(storage, newJob());
  rmdirSync(segment);
  renameSync(join(path, 'away'), segment);
  expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual([first, second, third]);
  expect([listener.corrupt, listener.troubles]).toEqual([[], []]);
  await storage.close();
  rmSync(path, { recursive: true });
});
