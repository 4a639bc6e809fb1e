/**
 * Fills a folder: `million-jobs.mjs FOLDER JOBS DEAD`, so many jobs that wait, and so many that failed for good. A
 * process of its own, on the built package: in a test's context the same takes three times as long.
 */
import { LogStorage } from '../../dist/job-server/index.js';

const [path, jobs, dead] = process.argv.slice(2);
const storage = new LogStorage({ path });
await storage.open({ ready: () => undefined, trouble: () => undefined, setAside: () => undefined });
const adder = {
  stored: () => undefined,
  refused: (error) => {
    throw error;
  },
};
const job = { unique: '', priority: 1, reducer: '', at: 0, attempts: 0, losses: 0 };
for (let number = 0; number < Number(jobs); number++) {
  const workload = `{"order":${number},"user":{"id":${number}}}`;
  storage.add({ ...job, handle: `H:stored:${number}`, function: 'stored', workload }, false, adder);
  if (number % 50_000 === 49_999) await storage.flush();
}
for (let number = 0; number < Number(dead); number++) {
  const handle = `H:dead:${number}`;
  storage.add({ ...job, handle, function: 'broken', workload: `${number}` }, 'always', adder);
  storage.bury(handle, `order ${number} has no address`, Date.now());
  if (number % 5_000 === 4_999) await storage.flush();
}
await storage.close();
