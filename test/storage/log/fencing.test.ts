import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { add, addAll, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';

let path: string;
let first: LogStorage;
let second: LogStorage;

beforeEach(async () => {
  path = mkdtempSync(join(tmpdir(), 'gearman-fencing-'));
  [first, second] = [new LogStorage({ path }), new LogStorage({ path })];
  await first.open(new RecordingListener());
});
afterEach(async () => {
  await first.close();
  await second.close();
  rmSync(path, { recursive: true });
});

it('a second owner is refused, and told who has the folder', async () => {
  await expect(second.open(new RecordingListener())).rejects.toMatchObject({
    code: 'GEARMAN_STORAGE_IN_USE',
    message: expect.stringContaining(`process ${process.pid} on `),
  });
});

it('an owner that was taken for dead tells nobody that a job is durable, and who followed it has all that it told', async () => {
  const told = await addAll(first, newJob(), newJob());
  // As the file of a process on another machine, which nobody here can see.
  writeFileSync(join(path, 'owner-1'), '{"id":"x","pid":1,"started":"","boot":"","host":"elsewhere"}');
  await second.open(new RecordingListener());
  const refusal = { code: 'GEARMAN_STORAGE_TAKEN_OVER', message: expect.stringContaining(path) };
  await expect(add(first, newJob(), false).stored).rejects.toMatchObject(refusal);
  await expect(add(first, newJob(), false).stored).rejects.toMatchObject(refusal);
  const more = await addAll(second, newJob());
  expect(handlesOf(await second.lease('reverse', 1, 9, NOW))).toEqual([...told, ...more]);
});
