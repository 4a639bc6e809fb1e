import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LmdbStorage } from '../../lib/job-server/storage/index.js';
import { describeJobStorage } from './job-storage.contract.js';

for (const durability of ['always', 'interval', 'none'] as const) {
  describeJobStorage(`LmdbStorage, durability '${durability}',`, async () => {
    const path = await mkdtemp(join(tmpdir(), 'gearman-storage-'));
    return {
      storage: new LmdbStorage({ path, durability, flushInterval: 20 }),
      dispose: () => rm(path, { recursive: true }),
    };
  });
}
