import { expect, it } from '@jest/globals';
import { StorageError } from '../../../../lib/job-server/storage/index.js';
import { GroupCommit, type Change } from '../../../../lib/job-server/storage/group-commit.js';
import { until } from '../../../support/until.js';

const FULL = new StorageError('GEARMAN_STORAGE_FULL', 'the disk is full');

/** A disk with room for so many changes at once; all that fails must be written. */
function disk(room: number | (() => number)) {
  const most = typeof room === 'number' ? () => room : room;
  const written: Change[] = [];
  const dropped: Change[] = [];
  const troubles: (StorageError | undefined)[] = [];
  const commit = new GroupCommit<Change>(
    {
      write: (items) => (items.length > most() ? Promise.reject(FULL) : Promise.resolve()),
      settled: async (items) => void written.push(...items),
      failed: (items) => items,
      dropped: (items) => void dropped.push(...items),
      trouble: (error) => void troubles.push(error),
    },
    1,
  );
  return { commit, written, troubles, dropped };
}

it('brings what does not fit at once through in parts, in its order', async () => {
  const { commit, written, troubles } = disk(2);
  const changes = Array.from({ length: 30 }, () => ({ bytes: 100 }));
  for (const change of changes) commit.mark(change, false);
  await expect(commit.flush()).rejects.toBe(FULL);
  await until('all are written', () => written.length === changes.length);
  expect(written).toEqual(changes);
  commit.mark({ bytes: 100 }, true);
  await commit.flush();
  expect(troubles).toEqual([FULL, undefined]);
});

it('flushes all of what failed once the disk is well again, also where no more than a part of it is tried at once', async () => {
  let room = 0;
  const { commit, written, troubles } = disk(() => room);
  const changes = Array.from({ length: 30 }, () => ({ bytes: 100 }));
  for (const change of changes) commit.mark(change, true);
  await until('it has failed', () => troubles.length === 1);
  await expect(commit.flush()).rejects.toBe(FULL);
  room = 30;
  await commit.flush();
  expect(written).toEqual(changes);
});

it('hands over what was never written when it is stopped', async () => {
  const { commit, troubles, dropped } = disk(0);
  const changes = [{ bytes: 1 }, { bytes: 1 }];
  commit.mark(changes[0]!, true);
  await until('it has failed', () => troubles.length === 1);
  commit.mark(changes[1]!, false);
  await commit.stop();
  expect(dropped).toEqual(changes);
});
