import { mkdtempSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { addAll, handlesOf, newJob, NOW, openRecorded } from '../recorded-storage.js';
import { segmentsIn } from './segments-in.js';
import { until } from '../../support/until.js';

const SEGMENT = 20_000;

describe('the disk that a log takes', () => {
  let path: string;
  let storage: LogStorage;
  /** A segment may go between the list and the look. */
  const sizeOf = (name: string): number => statSync(join(path, name), { throwIfNoEntry: false })?.size ?? 0;
  const bytes = (): number => segmentsIn(path).reduce((sum, name) => sum + sizeOf(name), 0);

  beforeEach(async () => {
    path = mkdtempSync(join(tmpdir(), 'gearman-log-'));
    storage = new LogStorage({ path }, { segmentBytes: SEGMENT, idleSlack: 1_000 });
    await openRecorded(storage);
  });
  afterEach(async () => {
    await storage.close();
    rmSync(path, { recursive: true });
  });

  /** Adds jobs and has them done, but for those whose place is a multiple of `kept`; answers these. */
  async function comeAndGo(count: number, kept: number): Promise<string[]> {
    const stay: string[] = [];
    for (let done = 0; done < count; done += 100) {
      const handles = await addAll(
        storage,
        ...Array.from({ length: 100 }, () => newJob({ workload: 'x'.repeat(100) })),
      );
      const isKept = (index: number): boolean => (done + index + 1) % kept === 0;
      const gone = handles.filter((_, index) => !isKept(index));
      for (const job of await Promise.all(gone.map((handle) => storage.leaseOne(handle)))) storage.done(job!.handle);
      stay.push(...handles.filter((_, index) => isKept(index)));
    }
    await storage.flush();
    return stay;
  }

  it('is little once all jobs came and went', async () => {
    await comeAndGo(5_000, Infinity);
    await until('segments are deleted', () => bytes() <= 2 * SEGMENT);
    await until('it rests, and nearly all is gone', () => bytes() <= 1_000 + 256 + 2 * 4_096);
    expect(storage.counts()).toEqual([]);
  });

  it('is at most three times that of the jobs that are left, with a straggler in every segment', async () => {
    const left = await comeAndGo(5_000, 100);
    await until('what is over is gone', () => bytes() <= 3 * left.length * 160 + 1_000);
    expect(handlesOf(await storage.lease('reverse', 1, 100, NOW))).toEqual(left);
    await storage.close();
    const { corrupt } = await openRecorded(storage);
    expect(handlesOf(await storage.lease('reverse', 1, 100, NOW))).toEqual(left);
    expect(corrupt).toEqual([]);
  });

  it('is bounded also where the end of a segment was lost', async () => {
    await addAll(storage, ...Array.from({ length: 300 }, () => newJob({ workload: 'x'.repeat(100) })));
    await storage.close();
    const [oldest] = segmentsIn(path);
    truncateSync(join(path, oldest!), 10_000);
    const { corrupt } = await openRecorded(storage);
    await until('it is named', () => corrupt.length > 0);
    await comeAndGo(1_000, Infinity);
    await until('it is deleted', () => !segmentsIn(path).includes(oldest!));
  });
});
