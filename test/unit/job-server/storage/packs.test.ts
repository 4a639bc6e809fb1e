import { statSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { LmdbStorage } from '../../../../lib/job-server/storage/index.js';
import { LmdbBeside } from '../../../../lib/job-server/storage/lmdb/jobs-beside.js';
import { addAll, allOf, handlesOf, newJob, NOW, RecordingListener } from '../../../contract/recorded-storage.js';
import { until } from '../../../support/until.js';
import { tempDir } from '../../../support/temp-dir.js';

let path: string;
let storage: LmdbStorage;
let listener: RecordingListener;

beforeEach(async () => {
  path = tempDir();
  await reopen();
});

afterEach(async () => {
  await storage.close();
});

async function reopen(): Promise<void> {
  storage = new LmdbStorage({ path });
  listener = new RecordingListener();
  await storage.open(listener);
}

async function restart(between: () => unknown = () => undefined): Promise<void> {
  await storage.close();
  await between();
  await reopen();
}

/** A table's rows as bytes, changed by `edit` where it answers others. */
async function rowsOf(table: string, edit: (value: Buffer) => Buffer | undefined = () => undefined): Promise<Buffer[]> {
  const root = open({ path, noSubdir: false, maxDbs: 16 });
  const rows = root.openDB<Buffer, Buffer>({ name: table, encoding: 'binary', keyEncoding: 'binary' });
  const values: Buffer[] = [];
  for (const { key, value } of [...rows.getRange({})]) {
    values.push(Buffer.from(value));
    const edited = edit(Buffer.from(value));
    if (edited) await rows.put(key, edited);
  }
  await root.close();
  return values;
}

/** Changes one byte of the only row of a table. */
async function damage(table: string, at: (row: Buffer) => number): Promise<void> {
  const rows = await rowsOf(table, (row) => {
    row[at(row)]! ^= 0x20;
    return row;
  });
  expect(rows).toHaveLength(1);
}

async function besides(): Promise<string[]> {
  const beside = await LmdbBeside.open(path);
  try {
    return [...beside.read()].map((read) => (read.is === 'job' ? read.job.workload.toString() : read.is));
  } finally {
    await beside.close();
  }
}

const named = (count: number): ReturnType<typeof newJob>[] =>
  Array.from({ length: count }, (_, index) => newJob({ workload: `number ${index}` }));

it('keeps jobs that come together in one row, with no row for each handle', async () => {
  const handles = await addAll(storage, ...named(100));
  expect(storage.count('reverse').total).toEqual([0, 100, 0]);
  await restart();
  expect(handlesOf(await storage.lease('reverse', 1, 30, NOW))).toEqual(handles.slice(0, 30));
  expect(handlesOf(await storage.lease('reverse', 1, 100, NOW))).toEqual(handles.slice(30));
  await storage.close();
  for (const [table, rows] of Object.entries({ packs: 1, packed: 1, jobs: 0, handles: 0, marks: 0 })) {
    expect([table, (await rowsOf(table)).length]).toEqual([table, rows]);
  }
  await reopen();
});

it('leaves nothing of a pack whose jobs have all gone, in whatever way', async () => {
  const handles = await addAll(storage, ...named(5));
  await storage.flush();
  await storage.lease('reverse', 1, 3, NOW);
  storage.done(handles[0]!);
  storage.bury(handles[1]!, 'poison', NOW);
  storage.release(handles[2]!, { at: NOW + 5 });
  await storage.remove(handles[3]!);
  await restart();
  expect(storage.count('reverse')).toMatchObject({ function: 'reverse', total: [0, 2, 0], scheduled: [0, 1, 0] });
  await storage.lease('reverse', 1, 3, NOW);
  storage.done(handles[4]!, { state: 'complete', result: 'kept', keepUntil: NOW });
  await storage.close();
  for (const [table, rows] of Object.entries({
    packs: 0,
    packed: 0,
    marks: 0,
    jobs: 1,
    dead: 1,
    ended: 1,
    handles: 3,
  })) {
    expect([table, (await rowsOf(table)).length]).toEqual([table, rows]);
  }
  await reopen();
  const found = await Promise.all(handles.map((handle) => storage.findByHandle(handle)));
  expect(found.map((each) => each?.state)).toEqual([undefined, 'dead', 'waiting', undefined, 'ended']);
});

it('finds every job by its handle, where packs of one write have handles between each other', async () => {
  const jobs = Array.from({ length: 90 }, (_, index) =>
    newJob({ function: ['f', 'g', 'h'][index % 3]!, priority: index % 2 === 0 ? 0 : 2 }),
  );
  const early = await addAll(storage, ...named(10));
  await storage.flush();
  await addAll(storage, ...jobs);
  await storage.flush();
  const late = await addAll(storage, ...named(10));
  await restart();
  for (const { handle, function: name, priority } of jobs) {
    expect(await storage.findByHandle(handle)).toMatchObject({ state: 'waiting', job: { function: name, priority } });
  }
  for (const handle of [...early, ...late]) expect(await storage.findByHandle(handle)).toBeDefined();
  const gone = jobs[50]!.handle;
  expect(await storage.remove(gone)).toBe('removed');
  for (const handle of [gone, `${gone}0000`, 'H:test:0', 'H:tesu:1', 'H:tess:1', 'another', '']) {
    expect(await storage.findByHandle(handle)).toBeUndefined();
    await restart();
  }
});

it('keeps changed counters of a job in a pack', async () => {
  const [first, second] = await addAll(storage, ...named(3));
  await storage.lease('reverse', 1, 2, NOW);
  storage.change(first!, { losses: 300 });
  storage.release(second!, { attempts: 2 });
  await restart();
  const jobs = await storage.lease('reverse', 1, 3, NOW);
  expect(jobs).toMatchObject([
    { workload: 'number 0', attempts: 0, losses: 300 },
    { workload: 'number 1', attempts: 2, losses: 0 },
    { workload: 'number 2', attempts: 0, losses: 0 },
  ]);
});

it('gives a job of its own row its place between those of a pack', async () => {
  const jobs = named(30).map((job, index) => ({
    ...job,
    workload: index % 7 === 3 ? 'x'.repeat(5_000) : job.workload,
  }));
  const handles = await addAll(storage, ...jobs);
  await restart();
  for (const handle of handles) expect(handlesOf(await storage.lease('reverse', 1, 1, NOW))).toEqual([handle]);
  await restart();
  expect(handlesOf(await allOf(storage.iterate({ pageSize: 4 })))).toEqual(handles);
});

it('sets a damaged job of a pack aside alone', async () => {
  await addAll(storage, ...named(3));
  await restart(() => damage('packs', (row) => row.indexOf('number 1')));
  const jobs = await storage.lease('reverse', 1, 9, NOW);
  expect(jobs.map(({ workload }) => workload)).toEqual(['number 0', 'number 2']);
  expect(storage.count('reverse').total).toEqual([0, 2, 0]);
  await until('it is told', () => listener.corrupt.length === 1);
  expect(listener.corrupt).toMatchObject([
    { function: 'reverse', key: 'jobs:reverse:0:2', reason: 'its checksum is wrong: it is not as it was written' },
  ]);
  await restart();
  expect(await storage.lease('reverse', 1, 9, NOW)).toHaveLength(2);
  expect(listener.corrupt).toEqual([]);
});

it('sets a pack with a damaged header aside whole, and counts right once the end is reached', async () => {
  await addAll(storage, ...named(3));
  await storage.flush();
  await addAll(storage, newJob({ workload: 'later' }));
  await restart(() => damage('packs', () => 5));
  expect(storage.count('reverse').total).toEqual([0, 4, 0]);
  const jobs = await storage.lease('reverse', 1, 9, NOW);
  expect(jobs.map(({ workload }) => workload)).toEqual(['later']);
  expect(storage.count('reverse').total).toEqual([0, 1, 0]);
  await until('it is told', () => listener.corrupt.length === 1);
  expect(listener.corrupt).toMatchObject([{ function: 'reverse', key: 'packs:reverse:0:1' }]);
  // The count on disk is put right by the next write, and until then in doubt.
  await restart();
  expect(await storage.lease('reverse', 1, 9, NOW)).toHaveLength(1);
  expect(storage.count('reverse').total).toEqual([0, 1, 0]);
  storage.done(jobs[0]!.handle);
  await restart();
  expect(storage.counts()).toEqual([]);
});

it('runs the jobs of a pack again, rather than to lose one, where it cannot be read which have ended', async () => {
  const handles = await addAll(storage, ...named(4));
  await storage.flush();
  await storage.lease('reverse', 1, 2, NOW);
  for (const handle of handles.slice(0, 2)) storage.done(handle);
  await restart(() => damage('marks', (row) => row.length - 1));
  expect(handlesOf(await storage.lease('reverse', 1, 9, NOW))).toEqual(handles);
  expect(storage.count('reverse').total).toEqual([0, 4, 0]);
  await until('it is told', () => listener.corrupt.length === 1);
  expect(listener.corrupt).toMatchObject([{ function: 'reverse', key: 'marks:reverse:0:1' }]);
  for (const handle of handles) storage.done(handle);
  await restart();
  expect(storage.counts()).toEqual([]);
  expect(listener.corrupt).toEqual([]);
});

it('shows packs to who reads beside it: what is left, in order, and what cannot be read', async () => {
  const jobs = named(6).map((job, index) => ({ ...job, workload: index === 2 ? 'x'.repeat(5_000) : job.workload }));
  const handles = await addAll(storage, ...jobs);
  await storage.flush();
  await addAll(storage, ...[7, 8].map((number) => newJob({ function: 'other', workload: `number ${number}` })));
  await storage.lease('reverse', 1, 1, NOW);
  storage.done(handles[0]!);
  await storage.close();
  const left = ['number 1', 'x'.repeat(5_000), 'number 3', 'number 4', 'number 5'];
  expect(await besides()).toEqual([...left, 'number 7', 'number 8']);
  await rowsOf('packs', (row) => {
    const at = row.indexOf('number 4');
    if (at < 0) row[5]! ^= 1;
    else row[at]! ^= 1;
    return row;
  });
  expect(await besides()).toEqual([...left.slice(0, 3), 'unreadable', 'number 5', 'unreadable']);
  await reopen();
});

it('has room in the file used again when leasing stops before the packs do', async () => {
  const [first, ...rest] = named(6);
  // Larger jobs have rows of their own: it stands before those in the pack.
  await addAll(storage, { ...first!, workload: 'x'.repeat(5_000) }, ...rest);
  await storage.flush();
  await restart();
  expect(await storage.lease('reverse', 1, 1, NOW)).toHaveLength(1);
  for (let round = 0; round < 300; round++) {
    await addAll(storage, newJob({ function: 'f', workload: 'y'.repeat(10_000) }));
    const [job] = await storage.lease('f', 1, 1, NOW);
    storage.done(job!.handle);
    await storage.flush();
  }
  expect(statSync(join(path, 'data.mdb')).size).toBeLessThan(1_000_000);
});
