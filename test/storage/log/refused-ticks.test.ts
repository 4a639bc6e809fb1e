import { mkdtempSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { lastTickIn } from '../../../lib/job-server/storage/index.js';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { add, newJob, NOW, openRecorded } from '../recorded-storage.js';

it('a tick is not fired by a job that is refused, which was to stand for its own', async () => {
  const path = mkdtempSync(join(tmpdir(), 'gearman-ticks-'));
  const storage = new LogStorage({ path });
  await openRecorded(storage);
  try {
    // No write succeeds any more, as if another owner had come.
    truncateSync(join(path, 'owner-1'));
    const { stored } = add(storage, newJob({ unique: 'u' }), false);
    const outcomes = await Promise.allSettled([stored, storage.fire('nightly', NOW, newJob({ unique: 'u' }))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(lastTickIn(storage.settings(), 'nightly')).toBeUndefined();
  } finally {
    await storage.close().catch(() => undefined);
    rmSync(path, { recursive: true });
  }
});
