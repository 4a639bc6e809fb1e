import { expect, it } from '@jest/globals';
import { StorageError } from '../../../../lib/job-server/storage/index.js';
import { EntryBook } from '../../../../lib/job-server/storage/lmdb/entry-book.js';
import { FunctionTable } from '../../../../lib/job-server/storage/lmdb/function-table.js';
import { JobEntry } from '../../../../lib/job-server/storage/lmdb/job-entry.js';
import type { JobFile } from '../../../../lib/job-server/storage/lmdb/job-file.js';
import { JobReader } from '../../../../lib/job-server/storage/lmdb/job-reader.js';
import { Leasing } from '../../../../lib/job-server/storage/lmdb/leasing.js';
import { newJob, NOW } from '../../../contract/recorded-storage.js';

const FAILURE = new StorageError('GEARMAN_STORAGE_IO', 'the disk failed');

it('leases nothing when the file cannot be read, and what memory had of it later, in order', () => {
  let isReadable = true;
  // All that a reader asks of a file: one that is empty, or cannot be read.
  const empty = { getRange: () => [], getKeys: () => [] };
  const tables = { jobs: empty, packs: empty };
  const file = {
    get tables(): object {
      if (!isReadable) throw FAILURE;
      return tables;
    },
  } as unknown as JobFile;
  const functions = new FunctionTable();
  const queue = functions.row('reverse').queues[1];
  const told: string[] = [];
  const reader = new JobReader(file, functions, { take: () => undefined, takePack: () => undefined });
  const leasing = new Leasing(reader, new EntryBook(reader), ({ functionName }) => void told.push(functionName));
  const entries = [1, 2, 3].map((sequence) => new JobEntry(queue, { ...newJob(), sequence }, undefined));
  for (const entry of entries) leasing.wait(entry);
  expect(leasing.lease(queue, 3, NOW)).toEqual(entries);
  // Given back, they are behind the cursor: memory has them, the file is asked for those behind.
  for (const entry of entries.slice(0, 2)) leasing.wait(entry);
  told.length = 0;

  isReadable = false;
  expect(() => leasing.lease(queue, 3, NOW)).toThrow(FAILURE);
  expect(told).toEqual([]);
  expect(queue.waiting).toBe(2);
  isReadable = true;
  expect(leasing.lease(queue, 3, NOW)).toEqual(entries.slice(0, 2));
  expect(queue.waiting).toBe(0);
});
