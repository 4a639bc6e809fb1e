import { expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { tempDir } from '../../support/temp-dir.js';
import { until } from '../../support/until.js';
import { addAll, handlesOf, newJob, NOW, openRecorded, RecordingListener } from '../recorded-storage.js';

const MANY = 20_000;

/** A storage that was opened with many jobs of one function, and their handles. */
async function withMany(): Promise<{ storage: LogStorage; handles: readonly string[] }> {
  const storage = new LogStorage({ path: tempDir() });
  await storage.open(new RecordingListener());
  const handles = await addAll(storage, ...Array.from({ length: MANY }, () => newJob()));
  await storage.close();
  await storage.open(new RecordingListener());
  return { storage, handles };
}

it('many jobs are leased in their order, and the others have turns meanwhile', async () => {
  const { storage, handles } = await withMany();
  let turns = 0;
  let turn = setImmediate(function next(): void {
    turns++;
    turn = setImmediate(next);
  });
  const leased = await storage.lease('reverse', 1, MANY, NOW);
  clearImmediate(turn);
  expect(handlesOf(leased)).toEqual(handles);
  expect(turns).toBeGreaterThan(1);
  await storage.close();
});

it('jobs that were being leased when it was closed wait when it is opened again', async () => {
  const { storage, handles } = await withMany();
  const leasing = storage.lease('reverse', 1, MANY, NOW);
  await storage.close();
  expect(await leasing).toEqual([]);
  await storage.open(new RecordingListener());
  expect(handlesOf(await storage.lease('reverse', 1, MANY, NOW))).toEqual(handles);
  await storage.close();
});

it('of jobs with long workloads fewer are leased at once, and the owner is told of the rest', async () => {
  const storage = new LogStorage({ path: tempDir() });
  const listener = await openRecorded(storage);
  const workload = new Uint8Array(4 * 1024 * 1024);
  const handles = await addAll(storage, ...Array.from({ length: 6 }, () => newJob({ workload })));
  await until('it is told of all', () => listener.readyQueues.length > 0);
  listener.readyQueues.length = 0;
  // 16 MiB.
  expect(handlesOf(await storage.lease('reverse', 1, 6, NOW))).toEqual(handles.slice(0, 4));
  await until('it is told of the rest', () => listener.readyQueues.length > 0);
  expect(handlesOf(await storage.lease('reverse', 1, 6, NOW))).toEqual(handles.slice(4));
  await storage.close();
});
