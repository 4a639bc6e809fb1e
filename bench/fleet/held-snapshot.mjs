/**
 * Runs only the storage, in a process of its own: it adds, leases and ends jobs at
 * a steady rate, and prints the median time of a lease in each quarter.
 */
import { PgStorage } from '../../build/job-server/storage/index.js';
import { median } from '../table.mjs';

const [url, perSecond, seconds] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const TURN = 20;
const batch = (perSecond * TURN) / 1_000;
const storage = new PgStorage({ url });
const fail = (error) => error && process.stderr.write(`${error.message}\n`);
await storage.open({ ready() {}, trouble: fail, setAside() {} });

const workload = 'x'.repeat(100);
let number = 0;
const leases = [];
const end = performance.now() + seconds * 1_000;
for (let next = performance.now(); next < end; next += TURN) {
  await Promise.all(Array.from({ length: batch }, add));
  const start = performance.now();
  const jobs = await storage.lease('bench', 1, batch, Date.now());
  leases.push(performance.now() - start);
  for (const { handle } of jobs) storage.done(handle);
  await new Promise((resolve) => setTimeout(resolve, Math.max(0, next + TURN - performance.now())));
}
await storage.close();
const quarter = Math.floor(leases.length / 4);
const p50 = Array.from({ length: 4 }, (_, index) => median(leases.slice(index * quarter, (index + 1) * quarter)));
process.stdout.write(JSON.stringify({ jobs: number, p50 }));

function add() {
  const job = { handle: `H:bench:${++number}`, function: 'bench', unique: '', priority: 1, workload };
  return new Promise((stored, refused) => {
    storage.add({ ...job, reducer: '', at: 0, attempts: 0, losses: 0 }, false, { stored, refused });
  });
}
