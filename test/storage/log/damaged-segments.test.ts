import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { LogStorage } from '../../../lib/job-server/storage/log/log-storage.js';
import { runs } from '../../support/runs.js';
import { addAll, handlesOf, newJob, NOW, RecordingListener } from '../recorded-storage.js';
import { jobsRead } from './jobs-read.js';

let folder: string;
let path: string;
/** What a job was, by its handle and attempts, at any time. */
let ever: Set<string>;

/** What a folder's log says when it is read at a start, and what of it cannot be read. */
function read(from: string): { jobs: string[]; damages: readonly string[] } {
  const { jobs, damages } = jobsRead(from);
  return { jobs: jobs.map(({ handle, attempts }) => `${handle}/${attempts}`).sort(), damages };
}

beforeEach(async () => {
  folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gearman-damaged-'));
  path = join(folder, 'jobs');
  const storage = new LogStorage({ path }, { segmentBytes: 2_000, idleSlack: 100_000 });
  await storage.open(new RecordingListener());
  ever = new Set();
  for (let round = 0; round < 5; round++) {
    const jobs = Array.from({ length: 12 }, () => newJob({ workload: 'x'.repeat(100) }));
    await addAll(storage, ...jobs);
    const leased = handlesOf(await storage.lease('reverse', 1, 5, NOW));
    for (const [at, handle] of leased.entries()) {
      if (at % 2 === 0) storage.done(handle);
      else storage.release(handle, { attempts: 1 });
    }
    for (const { handle } of jobs) for (const attempts of [0, 1]) ever.add(`${handle}/${attempts}`);
    await storage.flush();
  }
  await storage.close();
});
afterEach(() => rmSync(folder, { recursive: true }));

it('damaged at several places of several files at once it says what is lost, and nothing that was never so', () => {
  const whole = read(path);
  expect(whole.damages).toEqual([]);
  const names = readdirSync(path).filter((name) => /log$|index$|checkpoint/.test(name));
  expect(names.filter((name) => name.endsWith('.log')).length).toBeGreaterThan(2);
  const places = fc.array(fc.tuple(fc.constantFrom(...names), fc.double({ min: 0, max: 0.999, noNaN: true })), {
    minLength: 2,
    maxLength: 5,
  });
  const property = fc.property(places, fc.integer({ min: 1, max: 255 }), fc.boolean(), (some, mask, isCut) => {
    const copy = join(folder, 'copy');
    rmSync(copy, { recursive: true, force: true });
    cpSync(path, copy, { recursive: true });
    for (const [name, place] of some) {
      const bytes = readFileSync(join(copy, name));
      const offset = Math.floor(place * bytes.length);
      if (bytes.length > 0) bytes[offset]! ^= mask;
      // The first one is cut off there; an empty file is what an owner leaves that was killed before it had written.
      const isShort = isCut && name === some[0]![0];
      writeFileSync(join(copy, name), isShort ? bytes.subarray(0, Math.max(2, offset)) : bytes);
    }
    const { jobs, damages } = read(copy);
    expect(jobs.filter((job) => !ever.has(job))).toEqual([]);
    expect(new Set(jobs).size).toBe(jobs.length);
    if (jobs.join() !== whole.jobs.join()) expect(damages.length).toBeGreaterThan(0);
  });
  fc.assert(property, runs(150));
});
