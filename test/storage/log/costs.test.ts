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

it('functions whose jobs have ended are not counted one by one, and those that have jobs again are', async () => {
  const storage = new LogStorage({ path: tempDir() });
  await openRecorded(storage);
  const names = Array.from({ length: 1_000 }, (_, index) => `f${index}`);
  await addAll(storage, ...names.map((name) => newJob({ function: name })));
  for (const name of names) for (const { handle } of await storage.lease(name, 1, 1, NOW)) storage.done(handle);
  await addAll(storage, newJob({ function: 'f7', priority: 0 }), newJob({ function: 'f7' }));
  const count = jest.spyOn(storage, 'count');
  const one = { function: 'f7', total: [1, 1, 0], waiting: [1, 1, 0], scheduled: [0, 0, 0] };
  expect([storage.counts(), count.mock.calls]).toEqual([[one], [['f7']]]);
  await addAll(storage, newJob({ function: 'f3' }));
  expect(storage.counts().map((each) => each.function)).toEqual(['f7', 'f3']);
  await storage.close();
});
