import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import type { LmdbStorage } from '../../../../lib/job-server/storage/index.js';
import { readJournalMark } from '../../../../lib/job-server/storage/lmdb/file-format.js';
import { LmdbBeside } from '../../../../lib/job-server/storage/lmdb/jobs-beside.js';
import { Journal, type Journalable } from '../../../../lib/job-server/storage/lmdb/journal/journal.js';
import { jobsBehind, readJournals } from '../../../../lib/job-server/storage/lmdb/journal/journal-recovery.js';
import { addAll, allOf, handlesOf, newJob, NOW, type RecordingListener } from '../../../contract/recorded-storage.js';
import { until } from '../../../support/until.js';
import { crashImage, openStorage, withTables } from '../../../support/crash-image.js';
import { tempDir } from '../../../support/temp-dir.js';

let path: string;
let storage: LmdbStorage;
let listener: RecordingListener;
const others: LmdbStorage[] = [];

beforeEach(async () => {
  path = join(tempDir(), 'jobs');
  storage = await opened(path);
});

afterEach(async () => {
  await Promise.all([storage, ...others.splice(0)].map((each) => each.close()));
});

async function opened(folder: string): Promise<LmdbStorage> {
  const { storage: each, listener: heard } = await openStorage(folder);
  listener = heard;
  return each;
}

/** A storage that was opened after a crash at this moment. */
async function recovered(): Promise<LmdbStorage> {
  const other = await opened(await crashImage(path));
  others.push(other);
  return other;
}

const journalsIn = (folder: string): string[] => readdirSync(folder).filter((name) => name.startsWith('journal-'));

/** Changes a byte of the only journal. */
function damage(folder: string, at: (file: Buffer) => number): void {
  const [name] = journalsIn(folder);
  const file = readFileSync(join(folder, name!));
  file[at(file)]! ^= 0x20;
  writeFileSync(join(folder, name!), file);
}

it('has a job as soon as it is accepted, before the file of jobs has it, with all that belongs to it', async () => {
  const jobs = [
    newJob({ workload: Buffer.from([0, 0x80, 0xff]), unique: 'u', reducer: 'sum' }),
    newJob({ function: 'fonction \xe9', priority: 0, attempts: 2, losses: 3 }),
    newJob({ at: NOW + 5 }),
    newJob({ workload: 'x'.repeat(60_000), priority: 2 }),
    newJob(),
  ];
  await addAll(storage, ...jobs);
  const folder = await crashImage(path);
  expect(
    await withTables(folder, ({ jobs: own, packs }) =>
      [own, packs].flatMap((each) => [...each.getKeys({ start: undefined })]),
    ),
  ).toEqual([]);
  const other = await opened(folder);
  others.push(other);
  const found = await allOf(other.iterate());
  expect(found).toHaveLength(5);
  for (const { workload, ...job } of jobs) {
    const same = found.find(({ handle }) => handle === job.handle);
    expect(same).toMatchObject(job);
    expect(Buffer.from(same!.workload as string, 'latin1')).toEqual(Buffer.from(workload as string, 'latin1'));
  }
  expect(other.count('reverse')).toMatchObject({ function: 'reverse', total: [0, 3, 1], scheduled: [0, 1, 0] });
  expect(await other.findByUnique('u', 'reverse')).toMatchObject({ job: { handle: jobs[0]!.handle } });
  const [next] = await addAll(other, newJob());
  expect(handlesOf(await other.lease('reverse', 1, 9, NOW))).toEqual([jobs[0]!.handle, jobs[4]!.handle, next]);
});

it('is forgotten with what the file of jobs has, and deleted when the storage is closed', async () => {
  await addAll(storage, newJob(), newJob());
  await storage.lease('reverse', 1, 1, NOW);
  expect(await allOf((await recovered()).iterate())).toHaveLength(2);
  await storage.flush();
  expect(journalsIn(path)).toHaveLength(1);
  damage(path, (file) => file.indexOf('Hello world!'));
  const other = await recovered();
  expect(await allOf(other.iterate())).toHaveLength(2);
  expect(listener.corrupt).toEqual([]);
  await other.close();
  await storage.close();
  expect(journalsIn(path)).toEqual([]);
  await storage.open(listener);
});

it('does not bring back what has ended, also when it was in the journal only', async () => {
  const [first, second, third] = await addAll(storage, newJob(), newJob(), newJob());
  await storage.lease('reverse', 1, 2, NOW);
  storage.done(first!);
  storage.bury(second!, 'poison', NOW);
  await storage.flush();
  const other = await recovered();
  expect(handlesOf(await allOf(other.iterate()))).toEqual([third]);
  expect(await other.findByHandle(second!)).toMatchObject({ state: 'dead' });
  // All that one record has is over before the file of jobs hears of it.
  const [last] = await addAll(storage, newJob({ function: 'f' }));
  await storage.remove(last!);
  await storage.flush();
  expect(await (await recovered()).findByHandle(last!)).toBeUndefined();
});

it('is taken over by the next owner, however often that one crashes as well', async () => {
  const handles = await addAll(storage, newJob({ unique: 'u' }), newJob());
  for (let crash = 0; crash < 3; crash++) {
    const folder = await crashImage(path);
    await storage.close();
    [path, storage] = [folder, await opened(folder)];
    handles.push(...(await addAll(storage, newJob())));
    expect(handlesOf(await allOf((await recovered()).iterate()))).toEqual(handles);
  }
  await storage.flush();
  expect(journalsIn(path)).toHaveLength(1);
  expect(handlesOf(await allOf((await recovered()).iterate()))).toEqual(handles);
});

it('names a record that is not as it was written, keeps its bytes, and has the others', async () => {
  for (const workload of ['first', 'second, to be damaged', 'third']) await addAll(storage, newJob({ workload }));
  const folder = await crashImage(path);
  damage(folder, (file) => file.indexOf('second, to be damaged'));
  const other = await opened(folder);
  others.push(other);
  expect((await allOf(other.iterate())).map(({ workload }) => workload)).toEqual(['first', 'third']);
  await until('it is told', () => listener.corrupt.length === 1);
  expect(listener.corrupt).toMatchObject([{ function: '', reason: expect.stringMatching(/^its checksum is wrong/) }]);
  expect(listener.corrupt[0]!.key).toMatch(/^journal:\d+:2$/);
  await other.flush();
  await other.close();
  const kept = await withTables(folder, ({ quarantine }) => quarantine.get(listener.corrupt[0]!.key));
  expect(kept).toContain('econd, to be damaged');
});

it('names a record of which nothing is left', async () => {
  for (const workload of ['first', 'second', 'third']) await addAll(storage, newJob({ workload }));
  const folder = await crashImage(path);
  damage(folder, (file) => (file.indexOf('second') & ~4_095) + 4);
  others.push(await opened(folder));
  await until('it is told', () => listener.corrupt.length === 1);
  expect(listener.corrupt).toMatchObject([{ key: expect.stringMatching(/:2$/), reason: 'it is not there' }]);
});

it('is read by who reads beside the owner, each job once', async () => {
  const [first] = await addAll(storage, newJob(), newJob());
  await storage.flush();
  await storage.lease('reverse', 1, 1, NOW);
  await addAll(storage, newJob(), newJob({ function: 'f' }));
  storage.bury(first!, 'poison', NOW);
  const beside = await LmdbBeside.open(path);
  expect([...beside.read()].map(({ is }) => is)).toEqual(['job', 'job', 'job', 'job']);
  const copy = join(tempDir(), 'copy');
  await beside.copy(copy);
  await beside.close();
  others.push(await opened(copy));
  expect(await allOf(others[0]!.iterate())).toHaveLength(4);
});

it('goes around, and has at every moment what is needed, and nothing that is not', async () => {
  const folder = tempDir();
  const journal = new Journal(folder, 7);
  const written: Journalable[][] = [];
  let done = 0;
  for (let round = 0; round < 400; round++) {
    const jobs = Array.from({ length: 1 + (round % 3) }, () => ({
      ...newJob({ workload: 'x'.repeat(40_000) }),
      sequence: 1,
    }));
    const entries = jobs.map((job): Journalable => ({ job, journaled: undefined }));
    expect(await journal.append(entries)).toBe(true);
    written.push(entries);
    // Of what the file of jobs has, it says so with every third write.
    while (done < written.length - (round % 30)) {
      const these = written[done++]!;
      const mark = journal.cover(these);
      journal.settle(these, mark, done % 3 === 0);
      if (done % 3 !== 0) journal.settle(these, journal.cover(these), true);
      if (round % 20 === 0) {
        const [file] = readJournals(folder);
        const { jobs: left, damaged } = jobsBehind(file!, mark);
        const wanted = written.slice(done).flat();
        expect([handlesOf(left), damaged]).toEqual([handlesOf(wanted.map((entry) => entry.job)), []]);
      }
    }
  }
  expect(journal.isNeeded).toBe(true);
  const [file] = readJournals(folder);
  expect(file!.bytes.length).toBeLessThanOrEqual(8 * 1024 * 1024);
  // Another journal's records are none of this one's.
  expect(jobsBehind({ ...file!, seed: (file!.seed ^ 1) >>> 0 }, undefined).jobs).toEqual([]);
  journal.close();
});

it('answers that there is no room rather than to write over what is needed', async () => {
  const folder = tempDir();
  const journal = new Journal(folder, 1);
  const entry = (): Journalable => ({
    job: { ...newJob({ workload: 'x'.repeat(1024 * 1024) }), sequence: 1 },
    journaled: undefined,
  });
  let taken = 0;
  while (await journal.append([entry()])) taken++;
  expect(taken).toBe(7);
  expect(jobsBehind(readJournals(folder)[0]!, undefined).jobs).toHaveLength(7);
  journal.close();
});

it('is not trusted with a mark of another owner', async () => {
  await addAll(storage, newJob());
  const folder = await crashImage(path);
  const mark = await withTables(folder, (tables) => readJournalMark(tables));
  expect(mark).toBeUndefined();
  const [file] = readJournals(folder);
  expect(jobsBehind(file!, { claim: file!.claim + 1, number: 0 }).jobs).toEqual([]);
  expect(jobsBehind(file!, { claim: file!.claim - 1, number: 99 }).jobs).toHaveLength(1);
  expect(jobsBehind(file!, { claim: file!.claim, number: 1 }).jobs).toEqual([]);
});
