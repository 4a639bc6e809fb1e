import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { DiskRoom } from '../../../../lib/job-server/storage/lmdb/disk-room.js';
import { tempDir } from '../../../support/temp-dir.js';

it('makes room behind what is used, also of a fraction of bytes, and comes to an end', () => {
  const folder = tempDir();
  writeFileSync(join(folder, 'data.mdb'), 'used');
  const room = new DiskRoom(folder);
  for (const bytes of [0.5, 1_000.5, 600_000.5]) {
    room.make(4, { tail: bytes, total: bytes }, () => 0);
    expect(statSync(join(folder, 'data.mdb')).size).toBeGreaterThanOrEqual(4 + bytes);
  }
  room.close();
});
