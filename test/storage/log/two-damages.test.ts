import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { until } from '../../support/until.js';
import { addAll, handlesOf, newJob, NOW, openRecorded } from '../recorded-storage.js';
import { segmentsIn } from './segments-in.js';

it('of two damaged places of a segment, found while it is used, each is told and its bytes are kept', async () => {
  const path = mkdtempSync(join(tmpdir(), 'gearman-damages-'));
  const storage = new LogStorage({ path });
  await openRecorded(storage);
  const handles: string[] = [];
  // Each in a block of its own.
  for (let job = 0; job < 4; job++) handles.push(...(await addAll(storage, newJob({ workload: 'x'.repeat(20_000) }))));
  await storage.close();
  const segment = join(path, segmentsIn(path)[0]!);
  const bytes = readFileSync(segment);
  for (const handle of [handles[0]!, handles[2]!]) bytes[bytes.indexOf(handle) + 100]! ^= 0x80;
  writeFileSync(segment, bytes);
  const listener = await openRecorded(storage);
  try {
    expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([handles[1]]);
    await until('both are told', () => listener.corrupt.length === 2);
    expect(readdirSync(path).filter((name) => name.startsWith('damaged-'))).toHaveLength(2);
    expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual([handles[3]]);
    expect(storage.count('reverse').total).toEqual([0, 2, 0]);
  } finally {
    await storage.close();
    rmSync(path, { recursive: true });
  }
});
