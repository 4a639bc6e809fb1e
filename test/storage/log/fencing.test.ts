import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { add, addAll, handlesOf, newJob, NOW, openRecorded, RecordingListener } from '../recorded-storage.js';

describe('Two owners of one folder', () => {
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

  it('what another owner has read of a write is not cut off by who was followed while it wrote', async () => {
    const told = await addAll(first, newJob());
    const job = newJob();
    // Refused, unless its write was over first.
    const written = add(first, job, false).stored.catch(() => undefined);
    const segment = join(path, '0000000001-1.log');
    while (!readFileSync(segment).includes(job.handle)) await nextTurn();
    writeFileSync(join(path, 'owner-1'), '{"id":"x","pid":1,"started":"","boot":"","host":"elsewhere"}');
    await second.open(new RecordingListener());
    await written;
    await first.close();
    await second.close();
    const listener = await openRecorded(second);
    expect(handlesOf(await second.lease('reverse', 1, 9, NOW))).toEqual([...told, job.handle]);
    expect(listener.corrupt).toEqual([]);
  });
});
