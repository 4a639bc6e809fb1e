import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { open } from 'lmdb';
import { expect, it } from '@jest/globals';
import { newOwner } from '../../lib/job-server/storage/folder/owner.js';
import { allOf, bytesOf } from '../storage/recorded-storage.js';
import { requireBuild, ROOT } from '../support/built.js';
import { runCommand } from '../support/command.js';
import { deadLettersIn, jobsIn, withStorage } from '../support/stored-jobs.js';
import { tempDir } from '../support/temp-dir.js';

requireBuild();

/**
 * A folder as an earlier version left it: that of commit 32c75f9 wrote format 1, that of f9fdf21 format 2. That of
 * 178caea, the last one, wrote format 3 and was killed, so that some jobs are in its journal only.
 */
function formerFolder(format: number): string {
  const path = tempDir();
  const fixture = join(ROOT, `test/fixtures/storage-format-${format}`);
  for (const name of readdirSync(fixture)) {
    writeFileSync(join(path, name.replace(/\.gz$/, '')), gunzipSync(readFileSync(join(fixture, name))));
  }
  return path;
}

const importFrom = (former: string, folder: string) =>
  runCommand(['import', '--from', 'lmdb', former, '--queue-path', folder]);

const DEFAULTS = { function: 'reverse', unique: '', priority: 1, reducer: '', at: 0, attempts: 0, losses: 0 };

/** What waits in a folder, each function's by priority and in its order, without what a storage adds. */
async function waitingIn(folder: string): Promise<object[]> {
  const jobs = await jobsIn(folder);
  return jobs.map(({ handle, function: name, unique, priority, reducer, at, attempts, losses, workload }) => ({
    ...{ handle, function: name, unique, priority, reducer, at, attempts, losses },
    workload: bytesOf(workload).toString('latin1'),
  }));
}

const resultOf = (folder: string, handle: string) =>
  withStorage(folder, async (storage) => {
    const found = await storage.findByHandle(handle);
    return found?.state === 'ended' ? { ...found.outcome, result: bytesOf(found.outcome.result) } : found;
  });

it.each([1, 2])('import --from lmdb reads format %i: jobs in their order, dead letters and results', async (format) => {
  const folder = join(tempDir(), 'jobs');
  const { code, stdout, stderr } = await importFrom(formerFolder(format), folder);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^7 read: 7 imported/);
  expect(await waitingIn(folder)).toEqual([
    { ...DEFAULTS, handle: 'H:old:5', function: 'fonction \xe9', workload: 'x'.repeat(10_000) },
    { ...DEFAULTS, handle: 'H:old:2', priority: 0, unique: 'a unique', workload: '\0\x80\xff\0' },
    { ...DEFAULTS, handle: 'H:old:1', workload: 'Hello world!' },
    { ...DEFAULTS, handle: 'H:old:4', at: 1_700_000_000_000, workload: 'later' },
    { ...DEFAULTS, handle: 'H:old:3', priority: 2, reducer: 'sum', attempts: 3, losses: 2, workload: 'Hello world!' },
  ]);
  expect(await deadLettersIn(folder)).toMatchObject([
    { job: { handle: 'H:old:6' }, error: 'why it died', diedAt: 1_699_000_000_000 },
  ]);
  expect(await resultOf(folder, 'H:old:7')).toMatchObject({ state: 'complete', result: Buffer.from('dedne') });
});

it('import --from lmdb reads format 3: rows, packs, the journal, what became of jobs, settings; each once', async () => {
  const [former, folder] = [formerFolder(3), join(tempDir(), 'jobs')];
  const first = await importFrom(former, folder);
  expect(first).toEqual({
    code: 0,
    stderr: '',
    stdout:
      '15 read: 15 imported, 0 known from an earlier run, 0 joined to a waiting job of their unique, 0 left out\n' +
      "3 settings imported: what was set for functions, and schedules' last ticks\n",
  });
  const number = (n: number, more = {}): object => ({
    ...DEFAULTS,
    handle: `H:old:${n}`,
    workload: `number ${n}`,
    ...more,
  });
  expect(await waitingIn(folder)).toEqual([
    number(21, { function: 'fonction \xe9' }),
    number(7, { priority: 0, unique: 'a unique', workload: '\0\x80\xff\0' }),
    number(2, { attempts: 2, losses: 1 }),
    number(3),
    number(4, { workload: 'x'.repeat(5_000) }),
    number(5),
    number(6, { unique: 'u'.repeat(300) }),
    number(20),
    number(22, { at: 1_600_000_000_000 }),
    number(9, { at: 1_700_000_000_000 }),
    number(8, { priority: 2, reducer: 'sum', attempts: 3, losses: 2 }),
  ]);
  expect(await deadLettersIn(folder)).toMatchObject([
    { job: { handle: 'H:old:10', function: 'dies', unique: '' }, error: 'why it died', diedAt: 1_699_000_000_000 },
    { job: { handle: 'H:old:13', function: 'dies', unique: 'dead' }, error: 'grüße', diedAt: 1_699_000_000_001 },
  ]);
  const results: unknown[] = [];
  for (const handle of ['H:old:1', 'H:old:11', 'H:old:12']) results.push(await resultOf(folder, handle));
  expect(results).toEqual([
    undefined,
    { state: 'complete', result: Buffer.from('the result'), keepUntil: 4_000_000_000_000 },
    { state: 'failed', result: Buffer.from([0, 255]), keepUntil: 4_000_000_000_001 },
  ]);
  await withStorage(folder, async (storage) => {
    expect([...storage.settings()].sort()).toEqual([
      ['function:limited', '{"paused":false,"limits":[1,2,3]}'],
      ['function:paused', '{"paused":true}'],
      ['tick:nightly', '1700000000000 H:old:1'],
    ]);
    storage.set('function:paused', undefined);
    storage.set('function:limited', 'set since');
  });
  const again = await importFrom(former, folder);
  expect(again.stdout).toBe(
    '15 read: 0 imported, 15 known from an earlier run, 0 joined to a waiting job of their unique, 0 left out\n' +
      "1 settings imported: what was set for functions, and schedules' last ticks\n",
  );
  await withStorage(folder, async (storage) => expect(storage.settings().get('function:limited')).toBe('set since'));
});

it.each([
  ['a job in a pack', 'number 3', 'its checksum is wrong'],
  ['a dead letter', 'why it died', 'its checksum is wrong'],
  ['a job in the journal', 'number 20', 'record 2 of journal-1-'],
])('import --from lmdb leaves %s out that is damaged, says so, and takes the others', async (_, text, reason) => {
  const [former, folder] = [formerFolder(3), join(tempDir(), 'jobs')];
  for (const name of readdirSync(former)) {
    const file = readFileSync(join(former, name));
    for (let at = file.indexOf(text); at >= 0; at = file.indexOf(text, at + 1)) file[at]! ^= 1;
    writeFileSync(join(former, name), file);
  }
  const { code, stdout, stderr } = await importFrom(former, folder);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^1[35] read: 1[24] imported, .* 1 left out\n/);
  expect(stderr).toContain(`left out; the first: ${former}: ${reason}`);
  await withStorage(folder, async (storage) => {
    const letters = await allOf(storage.deadLetters());
    const handles = [...(await allOf(storage.iterate())), ...letters.map(({ job }) => job)].map(({ handle }) => handle);
    const isThere = (number: number): boolean => handles.includes(`H:old:${number}`);
    expect([2, 3, 4, 10, 13, 20].filter((number) => !isThere(number))).toEqual(
      { 'number 3': [3], 'why it died': [10], 'number 20': [20] }[text],
    );
  });
});

it.each<[string, (former: string) => void, string]>([
  ['a folder without data.mdb', () => undefined, 'has no data.mdb: name the folder that the job server was given'],
  [
    'a file that is none of its',
    (former) => writeFileSync(join(former, 'data.mdb'), 'x'.repeat(8_192)),
    "is none of a job server's, or damaged",
  ],
])('import --from lmdb refuses %s', async (_, prepare, reason) => {
  const former = tempDir();
  prepare(former);
  const { code, stdout, stderr } = await importFrom(former, join(tempDir(), 'jobs'));
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain(reason);
});

it('import --from lmdb refuses a folder that a job server has open', async () => {
  const former = formerFolder(3);
  const root = open({ path: former, noSubdir: false, maxDbs: 16 });
  const owners = root.openDB({ name: 'owner', encoding: 'binary', keyEncoding: 'binary', useVersions: true });
  await owners.put(Buffer.from('owner'), Buffer.from(JSON.stringify(newOwner())), 2);
  await root.close();
  const { code, stderr } = await importFrom(former, join(tempDir(), 'jobs'));
  expect(code).toBe(1);
  expect(stderr).toContain(`process ${process.pid} has ${former} open: stop that job server first`);
});

it.each(['export', 'backup'])('%s of a folder of the former form says how its jobs come', async (command) => {
  const former = formerFolder(3);
  const { code, stderr } = await runCommand([command, '--queue-path', former, '--to', join(tempDir(), 'to')]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    `nestjs-gearman import --from lmdb ${former} --queue-path OTHER moves them into another folder`,
  );
});
