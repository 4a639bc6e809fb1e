import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { Segment } from '../../../lib/job-server/storage/log/segment.js';
import { add, addAll, allOf, handlesOf, newJob, NOW, openRecorded, RecordingListener } from '../recorded-storage.js';
import { until } from '../../support/until.js';

it('a log whose disk fails at reading gives out no job that it cannot read, says why, takes new ones, and goes on', async () => {
  const path = mkdtempSync(join(tmpdir(), 'gearman-log-'));
  const storage = new LogStorage({ path });
  await storage.open(new RecordingListener());
  const [first, second] = await addAll(storage, newJob({ unique: 'u' }), newJob());
  await storage.close();
  const listener = await openRecorded(storage);
  const segment = join(path, '0000000001-1.log');
  renameSync(segment, join(path, 'away'));
  // A folder can be opened as a file can, and not be read.
  mkdirSync(segment);
  const refusal = {
    code: 'GEARMAN_STORAGE_IO',
    message: expect.stringMatching(/^reading failed \(EISDIR.*\) in .*: check the disk/),
  };
  await expect(storage.lease('reverse', 1, 9, NOW)).rejects.toMatchObject(refusal);
  await expect(storage.findByHandle(second!)).rejects.toMatchObject(refusal);
  await expect(add(storage, newJob({ unique: 'u' }), false).stored).rejects.toMatchObject(refusal);
  expect(storage.count('reverse').total).toEqual([0, 2, 0]);
  const [third] = await addAll(storage, newJob());
  rmdirSync(segment);
  renameSync(join(path, 'away'), segment);
  expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual([first, second, third]);
  expect([listener.corrupt, listener.troubles]).toEqual([[], []]);
  await storage.close();
  rmSync(path, { recursive: true });
});

/** The files of a folder that this process has open, where the system tells. */
function openFilesIn(folder: string): string[] {
  if (!existsSync('/proc/self/fd')) return [];
  const names = readdirSync('/proc/self/fd').flatMap((file) => {
    try {
      return [readlinkSync(join('/proc/self/fd', file))];
    } catch {
      // The one that the list was read with.
      return [];
    }
  });
  return names.filter((name) => name.startsWith(folder));
}

describe('a disk that fails at reading', () => {
  let path: string;
  let storage: LogStorage;
  const failure = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' });

  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), 'gearman-log-'));
    storage = new LogStorage({ path });
  });
  afterEach(async () => {
    jest.restoreAllMocks();
    await storage.close();
    rmSync(path, { recursive: true });
  });

  it('refuses a start that would not know its settings, and has them once it is well', async () => {
    await storage.open(new RecordingListener());
    storage.set('paused', 'yes');
    await storage.close();
    // The log itself is read then, and its file is open when a setting cannot be.
    for (const name of readdirSync(path)) if (/index|checkpoint/.test(name)) rmSync(join(path, name));
    jest.spyOn(Segment.prototype, 'readBlock').mockImplementation(() => {
      throw failure;
    });
    await expect(storage.open(new RecordingListener())).rejects.toMatchObject({
      code: 'GEARMAN_STORAGE_IO',
      message: expect.stringContaining('Input/output error'),
    });
    expect(openFilesIn(path)).toEqual([]);
    jest.restoreAllMocks();
    await storage.open(new RecordingListener());
    expect(storage.settings()).toEqual(new Map([['paused', 'yes']]));
  });

  it('where it should tell what damage took, names the damage and goes on', async () => {
    await storage.open(new RecordingListener());
    await addAll(storage, newJob({ workload: 'x'.repeat(20_000) }), newJob({ workload: 'y'.repeat(20_000) }));
    await storage.close();
    const file = join(path, '0000000001-1.log');
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('xxx')]! ^= 1;
    writeFileSync(file, bytes);
    const listener = await openRecorded(storage);
    const { readBlock } = Segment.prototype;
    let reads = 0;
    jest.spyOn(Segment.prototype, 'readBlock').mockImplementation(function (this: Segment, ...args) {
      if (reads++ > 0) throw failure;
      return readBlock.apply(this, args);
    });
    await expect(storage.lease('reverse', 1, 1, NOW)).rejects.toThrow('Input/output error');
    await until('the damage is named', () => listener.corrupt.length > 0);
    jest.restoreAllMocks();
    expect(await storage.lease('reverse', 1, 9, NOW)).toHaveLength(1);
    expect(listener.corrupt).toHaveLength(1);
  });

  it('refuses listings and copies with the reason, and says once that the log grows, until it is well', async () => {
    storage = new LogStorage({ path }, { segmentBytes: 5_000, idleSlack: 1_000 });
    await storage.open(new RecordingListener());
    const some = Array.from({ length: 30 }, () => newJob({ workload: 'x'.repeat(200) }));
    const [dead, ...kept] = await addAll(storage, ...some);
    await storage.leaseOne(dead!);
    storage.bury(dead!, 'boom', NOW);
    await storage.close();
    const listener = await openRecorded(storage);
    const reading = jest.spyOn(Segment.prototype, 'read').mockImplementation(() => {
      throw failure;
    });
    const refusal = { code: 'GEARMAN_STORAGE_IO', message: expect.stringContaining(`Input/output error) in ${path}:`) };
    await expect(allOf(storage.iterate())).rejects.toMatchObject(refusal);
    await expect(allOf(storage.deadLetters())).rejects.toMatchObject(refusal);
    await expect(storage.backup(`${path}-copy`)).rejects.toMatchObject(refusal);
    // They come and go, until the oldest segment, which cannot be read, would be copied forward.
    const comeAndGo = async (): Promise<void> => {
      const jobs = Array.from({ length: 30 }, () => newJob({ workload: 'x'.repeat(200) }));
      await Promise.all(jobs.map((job) => add(storage, job, 'always').stored));
      for (const { handle } of jobs) storage.done(handle);
      await storage.flush();
    };
    const tries = reading.mock.calls.length + 3;
    while (reading.mock.calls.length < tries) await comeAndGo();
    expect(listener.compactions).toMatchObject([refusal]);
    jest.restoreAllMocks();
    while (listener.compactions.length === 1) await comeAndGo();
    expect(listener.compactions[1]).toBeUndefined();
    expect([listener.troubles, listener.corrupt]).toEqual([[], []]);
    expect(handlesOf(await storage.lease('reverse', 1, 99, NOW)).sort()).toEqual([...kept].sort());
    expect(await allOf(storage.deadLetters())).toMatchObject([{ error: 'boom' }]);
  });
});
