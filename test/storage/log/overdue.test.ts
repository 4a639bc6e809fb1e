import { expect, it, jest } from '@jest/globals';
import { LogIndex } from '../../../lib/job-server/storage/log/log-index.js';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { tempDir } from '../../support/temp-dir.js';
import { addAll, handlesOf, newJob, NOW, openRecorded } from '../recorded-storage.js';

it('of many jobs whose time has come only the first is looked at, also as the clock is put back and forth', async () => {
  const storage = new LogStorage({ path: tempDir() });
  await openRecorded(storage);
  const handles = await addAll(storage, ...Array.from({ length: 1_000 }, (_, index) => newJob({ at: NOW - index })));
  await storage.close();
  await openRecorded(storage);
  const looks = jest.spyOn(LogIndex.prototype, 'isFree');
  const ready = [{ function: 'reverse', priority: 1 }];
  expect(storage.due(NOW).ready).toEqual(ready);
  expect(storage.due(NOW - 5_000)).toEqual({ ready: [], next: NOW - 999 });
  expect(storage.oldest('reverse', 1, NOW)).toBe(NOW - 999);
  expect(storage.due(NOW).ready).toEqual(ready);
  expect(looks.mock.calls.length).toBeLessThan(10);
  looks.mockRestore();
  expect(handlesOf(await storage.lease('reverse', 1, 2_000, NOW))).toEqual(handles.reverse());
  await storage.close();
});
