import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/index.js';
import { add, allOf, newJob, RecordingListener } from '../recorded-storage.js';

describe('a backup of a LogStorage', () => {
  let folder: string;
  let storage: LogStorage;
  const open = async (name: string): Promise<LogStorage> => {
    const opened = new LogStorage({ path: join(folder, name) });
    await opened.open(new RecordingListener());
    return opened;
  };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gearman-backup-'));
    storage = await open('jobs');
  });

  afterEach(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  it('has all jobs of its moment, and can be opened while the original is open', async () => {
    const job = newJob();
    await add(storage, job, true).stored;
    await storage.backup(join(folder, 'copy'));
    await add(storage, newJob(), false).stored;
    const copy = await open('copy');
    expect(await allOf(copy.iterate())).toMatchObject([job]);
    storage.done(job.handle);
    await storage.flush();
    expect(await allOf(copy.iterate())).toHaveLength(1);
    await copy.close();
  });

  it('takes an empty folder, the remains of an interrupted one, and no other', async () => {
    const path = join(folder, 'copy');
    mkdirSync(path);
    mkdirSync(`${path}.partial`);
    writeFileSync(join(`${path}.partial`, '0000000001-1.log'), 'half of it');
    await add(storage, newJob(), false).stored;
    await storage.backup(path);
    expect(readdirSync(folder).sort()).toEqual(['copy', 'jobs']);
    await expect(storage.backup(path)).rejects.toMatchObject({
      code: 'GEARMAN_STORAGE_INVALID',
      message: `${path} is not empty: name a new folder for the copy`,
    });
  });
});
