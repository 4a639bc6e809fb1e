import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogBeside, LogStorage } from '../../../lib/job-server/storage/index.js';
import { add, newJob, NOW, RecordingListener } from '../recorded-storage.js';

describe('A log whose process dies while it writes', () => {
  let folder: string;
  let storage: LogStorage;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gearman-answers-'));
    storage = new LogStorage({ path: join(folder, 'jobs') });
    await storage.open(new RecordingListener());
  });
  afterEach(async () => {
    await storage.close();
    rmSync(folder, { recursive: true });
  });

  /** The handles of the jobs that a crash at this moment would leave, dead letters aside. */
  async function handlesLeft(): Promise<string[]> {
    const path = join(folder, 'copy');
    cpSync(join(folder, 'jobs'), path, { recursive: true });
    const copy = await LogBeside.open(path);
    const handles = [...copy.read()].flatMap((found) => (found.is === 'job' ? [found.job.handle] : []));
    await copy.close();
    return handles;
  }

  it.each([0, 1, 2, 3, 4, 5, 6, 7])(
    'says that a job is there when it waits again on disk, though it died while that was written (%i turns later)',
    async (turns) => {
      const job = newJob({ unique: 'u' });
      await add(storage, job, 'always').stored;
      storage.bury(job.handle, 'no', NOW);
      const buried = storage.flush();
      for (let turn = 0; turn < turns; turn++) await nextTurn();
      await storage.replay(job.handle);
      const { handle } = (await add(storage, newJob({ unique: 'u' }), false).stored)!;
      expect(handle).toBe(job.handle);
      expect(await handlesLeft()).toEqual([handle]);
      await buried;
    },
  );
});
