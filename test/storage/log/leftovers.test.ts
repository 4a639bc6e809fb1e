import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { addAll, handlesOf, newJob, NOW, openRecorded } from '../recorded-storage.js';
import { segmentsIn } from './segments-in.js';
import { until } from '../../support/until.js';

describe('What an owner left in the folder', () => {
  let path: string;
  let storage: LogStorage;

  /** Jobs come and go until every segment that had one is gone. */
  async function moveOn(leftover: string): Promise<void> {
    const others = (): string[] => segmentsIn(path).filter((name) => name !== leftover);
    await addAll(storage, newJob());
    const before = new Set(others());
    for (let round = 0; round < 12; round++) {
      const handles = await addAll(storage, ...Array.from({ length: 100 }, () => newJob()));
      for (const handle of handles) {
        await storage.leaseOne(handle);
        storage.done(handle);
      }
      await storage.flush();
    }
    await until('older segments are gone', () => others().every((name) => !before.has(name)));
  }

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'gearman-leftovers-'));
    storage = new LogStorage({ path }, { segmentBytes: 5_000, idleSlack: 1_000 });
  });
  afterEach(async () => {
    await storage.close();
    rmSync(path, { recursive: true });
  });

  it.each([
    ['that was killed before it had written to it', '', []],
    ['whose first bytes were lost', 'what is no header', ['damaged-9-0']],
  ])('opens after the segments around the last one of an owner %s are gone', async (_, bytes, corrupt) => {
    await openRecorded(storage);
    await addAll(storage, newJob());
    await storage.close();
    // Later than any that there is, as one that an owner is about to write.
    const leftover = '0000000009-7.log';
    for (const name of segmentsIn(path)) rmSync(join(path, name));
    writeFileSync(join(path, leftover), bytes);
    const listener = await openRecorded(storage);
    await until('what is in it is named', () => listener.corrupt.length === corrupt.length);
    expect(listener.corrupt.map(({ key }) => key)).toEqual(corrupt);
    await moveOn(leftover);
    const left = handlesOf(await storage.lease('reverse', 1, 9, NOW));
    expect(left).toHaveLength(1);
    await storage.close();
    const { corrupt: again } = await openRecorded(storage);
    expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual(left);
    expect(again).toEqual([]);
  });

  it('writes over what a failed disk did not delete, which has the name of the segment that comes next', async () => {
    await openRecorded(storage);
    writeFileSync(join(path, '0000000001-1.log'), 'x'.repeat(10_000));
    const added = await addAll(storage, newJob());
    await storage.close();
    const listener = await openRecorded(storage);
    expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual(added);
    expect(listener.corrupt).toEqual([]);
  });

  it('deletes what an owner wrote and refused after the folder was taken over, with the segment of its number', async () => {
    await openRecorded(storage);
    await addAll(storage, newJob());
    await storage.close();
    await openRecorded(storage);
    await addAll(storage, newJob());
    // As an owner leaves it that stalled between a look at its claim and its first write.
    const [before, now] = segmentsIn(path).sort();
    const stray = now!.replace('-2.log', '-1.log');
    expect(stray).not.toBe(now);
    copyFileSync(join(path, before!), join(path, stray));
    await moveOn(stray);
    expect(segmentsIn(path)).not.toContain(now);
    expect(segmentsIn(path)).not.toContain(stray);
  });
});
