import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { StorageError, type LmdbStorage } from '../../../../lib/job-server/storage/index.js';
import { Journal } from '../../../../lib/job-server/storage/lmdb/journal/journal.js';
import { JobFile } from '../../../../lib/job-server/storage/lmdb/job-file.js';
import { add, addAll, allOf, handlesOf, newJob, NOW } from '../../../contract/recorded-storage.js';
import { until } from '../../../support/until.js';
import { crashImage, openStorage } from '../../../support/crash-image.js';
import { tempDir } from '../../../support/temp-dir.js';

const FAILURE = new StorageError('GEARMAN_STORAGE_IO', 'the disk failed');
const { checkOwner, write } = JobFile.prototype;
const { append } = Journal.prototype;

let path: string;
let storage: LmdbStorage;
const others: LmdbStorage[] = [];

beforeEach(async () => {
  path = join(tempDir(), 'jobs');
  ({ storage } = await openStorage(path));
});

afterEach(async () => {
  Object.assign(JobFile.prototype, { checkOwner, write });
  Journal.prototype.append = append;
  await Promise.allSettled([storage, ...others.splice(0)].map((each) => each.close()));
});

async function recovered(): Promise<LmdbStorage> {
  const { storage: other } = await openStorage(await crashImage(path));
  others.push(other);
  return other;
}

/** Has every write to the file of jobs do this first. */
function beforeWrites(action: () => unknown): void {
  JobFile.prototype.write = async function (...args) {
    await action();
    return write.apply(this, args);
  };
}

const failing = (): never => {
  throw FAILURE;
};

/** Holds the writes to the file of jobs up, once the first has begun, until the gate is opened. */
function gateWrites(): { readonly begun: Promise<void>; open(): void; made: number } {
  let begin = (): void => undefined;
  let goOn = (): void => undefined;
  const gate = { begun: new Promise<void>((resolve) => (begin = resolve)), open: () => goOn(), made: 0 };
  const opened = new Promise<void>((resolve) => (goOn = resolve));
  JobFile.prototype.write = async function (...args) {
    begin();
    await opened;
    await write.apply(this, args);
    gate.made++;
  };
  return gate;
}

/** A job that its adder runs at once. */
function addLeased(): { readonly handle: string; readonly stored: Promise<unknown> } {
  const job = newJob();
  return { handle: job.handle, stored: add(storage, job, 'always').stored };
}

/** Puts folders in the places of journals, which cannot be deleted as files. */
function blockJournals(folder: string): void {
  for (const name of readdirSync(folder).filter((each) => each.startsWith('journal-'))) {
    rmSync(join(folder, name), { recursive: true });
    mkdirSync(join(folder, name));
  }
}

it('is told that a job has ended which it alone has, also when that happens during a write', async () => {
  const gate = gateWrites();
  await addAll(storage, newJob());
  await gate.begun;
  const job = newJob({ function: 'f' });
  const { stored } = add(storage, job, true);
  await stored;
  storage.done(job.handle);
  gate.open();
  // No flush, no further job.
  for (let tries = 0; (await (await recovered()).findByHandle(job.handle)) && tries < 50; tries++)
    await others.pop()!.close();
  expect(await others.at(-1)!.findByHandle(job.handle)).toBeUndefined();
});

it('does not let a recovered job lose its unique to an earlier one whose end was not on disk', async () => {
  const [earlier] = await addAll(storage, newJob({ unique: 'u' }));
  await storage.flush();
  await storage.lease('reverse', 1, 1, NOW);
  beforeWrites(failing);
  storage.done(earlier!);
  const [later] = await addAll(storage, newJob({ unique: 'u' }));
  const image = await crashImage(path);
  JobFile.prototype.write = write;
  const { storage: other } = await openStorage(image);
  others.push(other);
  expect(handlesOf(await other.lease('reverse', 1, 1, NOW))).toEqual([earlier]);
  other.done(earlier!);
  await other.flush();
  expect(await other.findByUnique('u', 'reverse')).toMatchObject({ job: { handle: later } });
  expect(await add(other, newJob({ unique: 'u' }), false).stored).toMatchObject({ handle: later });
});

it('does not let a recovered job lose its unique to another recovered one', async () => {
  beforeWrites(failing);
  const earlier = newJob({ unique: 'u' });
  await add(storage, earlier, true).stored;
  storage.done(earlier.handle);
  const [later] = await addAll(storage, newJob({ unique: 'u' }));
  const image = await crashImage(path);
  JobFile.prototype.write = write;
  const { storage: other } = await openStorage(image);
  others.push(other);
  await other.flush();
  expect(handlesOf(await other.lease('reverse', 1, 1, NOW))).toEqual([earlier.handle]);
  other.done(earlier.handle);
  await other.flush();
  expect(await other.findByUnique('u', 'reverse')).toMatchObject({ job: { handle: later } });
});

it('leads to a job that was given back for later while its write to the file of jobs was made', async () => {
  const gate = gateWrites();
  const { handle, stored } = addLeased();
  await stored;
  await gate.begun;
  storage.release(handle, { at: NOW + 5, attempts: 1 });
  gate.open();
  await until('that write is made', () => gate.made > 0);
  expect(handlesOf(await storage.lease('reverse', 1, 1, NOW + 5))).toEqual([handle]);
  storage.release(handle);
  await storage.flush();
  expect(handlesOf(await storage.lease('reverse', 1, 1, NOW + 5))).toEqual([handle]);
});

it('does not bring back a job that was refused after it was written', async () => {
  beforeWrites(failing);
  JobFile.prototype.checkOwner = failing;
  const job = newJob();
  await expect(add(storage, job, false).stored).rejects.toBe(FAILURE);
  expect(storage.counts()).toEqual([]);
  Object.assign(JobFile.prototype, { checkOwner, write });
  expect(await (await recovered()).findByHandle(job.handle)).toBeUndefined();
});

it('does not mind a journal that cannot be deleted', async () => {
  await addAll(storage, newJob(), newJob());
  const image = await crashImage(path);
  const { storage: other } = await openStorage(image);
  others.push(other);
  blockJournals(image);
  await addAll(other, newJob());
  await other.flush();
  expect(await allOf(other.iterate())).toHaveLength(3);
  blockJournals(image);
  await other.close();
});

it('waits with a flush until what failed before is written, and with a stop', async () => {
  const handles = await addAll(storage, ...Array.from({ length: 40 }, () => newJob()));
  await storage.flush();
  await storage.lease('reverse', 1, 40, NOW);
  let left = 2;
  beforeWrites(() => {
    if (left-- > 0) throw FAILURE;
  });
  for (const handle of handles) storage.done(handle);
  await until('it has failed twice', () => left === 0);
  await addAll(storage, newJob({ function: 'other' }));
  await storage.close();
  await storage.open({ ready: () => undefined, trouble: () => undefined, setAside: () => undefined });
  expect(storage.count('reverse').total).toEqual([0, 0, 0]);
});

it('tells an adder who joins a replayed job once that is on disk', async () => {
  const [handle] = await addAll(storage, newJob({ unique: 'u' }));
  await storage.lease('reverse', 1, 1, NOW);
  storage.bury(handle!, 'poison', NOW);
  await storage.flush();
  expect(await storage.replay(handle!)).toBe(true);
  expect(await add(storage, newJob({ unique: 'u' }), false).stored).toMatchObject({ handle });
  expect(await (await recovered()).findByHandle(handle!)).toMatchObject({ state: 'waiting' });
});

it('tells every adder whose job could not be written before it was closed', async () => {
  let refuse = (): void => undefined;
  const refused = new Promise<void>((resolve) => (refuse = resolve));
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  JobFile.prototype.checkOwner = failing;
  Journal.prototype.append = async () => {
    begin();
    await refused;
    throw FAILURE;
  };
  let failures = 0;
  beforeWrites(() => {
    failures++;
    throw FAILURE;
  });
  const added = Array.from({ length: 8 }, () => addLeased());
  const outcomes = Promise.allSettled(added.map(({ stored }) => stored));
  await begun;
  // Changed while they are written to the journal, they are to be written to the file of jobs as well.
  for (const { handle } of added) storage.change(handle, { losses: 1 });
  await expect(add(storage, newJob({ workload: 'x'.repeat(70_000) }), false).stored).rejects.toBe(FAILURE);
  await until('that has failed for them', () => failures > 1);
  refuse();
  await storage.close().catch(() => undefined);
  expect((await outcomes).map(({ status }) => status)).toEqual(added.map(() => 'rejected'));
});

it('is not far ahead of a file of jobs that cannot keep up', async () => {
  const gate = gateWrites();
  const stored: Promise<unknown>[] = [];
  let told = 0;
  const wave = async (): Promise<void> => {
    for (let count = 0; count < 100; count++) {
      stored.push(add(storage, newJob(), false).stored.then(() => told++));
    }
    await until('they are told', () => told === stored.length, { within: 200 });
  };
  await expect(
    (async () => {
      for (let count = 0; count < 100; count++) await wave();
    })(),
  ).rejects.toThrow('in vain until they are told');
  gate.open();
  await Promise.all(stored);
});
