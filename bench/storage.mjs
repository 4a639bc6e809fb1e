// How fast the embedded storage is on its own, without a job server around it.
//
//   npm run build && node bench/storage.mjs [--jobs 1000000] [--in-flight 512] [--uniques] [--durability always] [--stay N]
//
// Opens an empty folder, submits background jobs of 100 bytes with so many
// submissions in flight, closes and opens the storage, then leases and ends all
// jobs except one in N, which stay. Rates are of one process; RssAnon is anonymous
// memory. The size of the folder at the end is what the disk has allocated for it,
// after the log has come to rest.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LogStorage } from '../build/job-server/storage/index.js';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '1000000' },
    'in-flight': { type: 'string', default: '512' },
    uniques: { type: 'boolean', default: false },
    durability: { type: 'string', default: 'always' },
    path: { type: 'string' },
    window: { type: 'string', default: '1000' },
    stay: { type: 'string', default: 'Infinity' },
  },
});
const jobs = Number(options.jobs);
const inFlight = Number(options['in-flight']);
const window = Number(options.window);
const stay = Number(options.stay);
const staying = Math.floor(jobs / stay);
const path = options.path ?? mkdtempSync(join(tmpdir(), 'bench-storage-'));
const workload = 'x'.repeat(100);

const listener = { ready() {}, trouble: (error) => error && fail(error), setAside: (record) => fail(record.reason) };
function fail(reason) {
  console.error(reason);
  process.exit(1);
}

function rssAnon() {
  return Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024;
}

async function timed(what, count, work) {
  let peak = 0;
  const sampler = setInterval(() => (peak = Math.max(peak, rssAnon())), 50);
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  clearInterval(sampler);
  const rate = Math.round(count / seconds).toLocaleString('en');
  console.log(
    `${what.padEnd(8)} ${rate.padStart(9)}/s  ${((user + system) / count).toFixed(2)} us CPU  RssAnon ${Math.round(peak)} MB`,
  );
}

async function submitAll(storage) {
  let next = 0;
  async function client() {
    while (next < jobs) {
      const number = ++next;
      const job = {
        handle: `H:bench:${number}`,
        function: number % stay === 0 ? 'stays' : 'bench',
        unique: options.uniques ? randomUUID() : '',
        priority: 1,
        workload,
        reducer: '',
        at: 0,
        attempts: 0,
        losses: 0,
      };
      await new Promise((stored, refused) => storage.add(job, false, { stored, refused }));
    }
  }
  await Promise.all(Array.from({ length: inFlight }, client));
}

async function drainAll(storage) {
  for (let left = jobs - staying; left > 0;) {
    const leased = await storage.lease('bench', 1, window, Date.now());
    if (leased.length === 0) fail(`no job to lease, ${left} left`);
    for (const { handle } of leased) storage.done(handle);
    left -= leased.length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  await storage.flush();
}

/** How many bytes the disk has allocated for the folder. */
function onDisk() {
  return readdirSync(path).reduce(
    (sum, name) => sum + (statSync(join(path, name), { throwIfNoEntry: false })?.blocks ?? 0) * 512,
    0,
  );
}

/** Resolves when the folder has not changed for longer than the log waits before it tidies up. */
async function atRest() {
  for (let before = -1, now = onDisk(); now !== before; now = onDisk()) {
    before = now;
    await sleep(4_000);
  }
}

console.log(`${jobs.toLocaleString('en')} jobs, ${inFlight} in flight${options.uniques ? ', random uniques' : ''}`);
const storage = new LogStorage({ path, durability: options.durability });
const beginning = performance.now();
await storage.open(listener);
console.log(`start    ${(performance.now() - beginning).toFixed(1)} ms in an empty folder`);
await timed('submit', jobs, () => submitAll(storage));
await storage.close();
const most = onDisk();
console.log(`folder   ${Math.round(most / 1e6)} MB`);
const opening = performance.now();
await storage.open(listener);
const [first] = await storage.lease('bench', 1, 1, Date.now());
console.log(`open     ${Math.round(performance.now() - opening)} ms to the first lease`);
storage.release(first.handle);
await timed('drain', jobs, () => drainAll(storage));
await atRest();
console.log(
  `folder   ${Math.round(onDisk() / 1_000)} kB, for ${staying} jobs that took ${Math.round((most * staying) / jobs / 1_000)} kB`,
);
await storage.close();
if (!options.path) rmSync(path, { recursive: true });
