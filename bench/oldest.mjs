// What it costs to tell the age of the oldest waiting job, by the number of stored jobs, and how a restart changes that.
//
//   npm run build && node bench/oldest.mjs [--jobs 1000000] [--postgres]
//
// Fills a storage with that many jobs of one function, and asks a job server
// that has none of them in memory, then one that has its window, then again after a restart.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { coreOf } from '../build/job-server/core-of.js';
import { JobServer } from '../build/job-server/job-server.js';
import { LogStorage, PgStorage } from '../build/job-server/storage/index.js';
import { Cluster } from './fleet/cluster.mjs';
import { DISK, withFolder } from './folder.mjs';

const { values } = parseArgs({
  options: { jobs: { type: 'string', default: '1000000' }, postgres: { type: 'boolean', default: false } },
});
const CALLS = 200_000;
const LISTENER = { ready() {}, trouble() {}, lost() {}, set() {}, cancel() {}, fenced() {}, clock() {}, setAside() {} };

console.log('| stored jobs | ns to ask the storage | ns to ask the job server | ms the age is off after a restart |');
console.log('| ---: | ---: | ---: | ---: |');
await withFolder(DISK, async (folder) => {
  const cluster = values.postgres ? await new Cluster(folder).start() : undefined;
  for (const jobs of [10, Number(values.jobs)]) await measure(jobs, folder, cluster);
  await cluster?.stop();
});
process.exit();

async function measure(jobs, folder, cluster) {
  const name = `bench${jobs}`;
  const newStorage = () =>
    cluster
      ? new PgStorage({ url: cluster.url('postgres'), schema: `oldest${jobs}` })
      : new LogStorage({ path: join(folder, `${jobs}`) });
  const acceptedAt = Date.now() - 3_600_000;
  const storage = newStorage();
  await storage.open(LISTENER);
  await fill(storage, name, jobs, acceptedAt);
  const since = () => storage.oldest(name, 1, Date.now());
  // A database has to be asked, so the answer comes a little later.
  while (since() === undefined) await sleep(20);
  const ofStorage = nsOf(since);
  await storage.close();
  const before = await ageIn(newStorage(), name);
  const after = await ageIn(newStorage(), name);
  const off = after.age - before.age - (after.at - before.at);
  console.log(`| ${jobs.toLocaleString('en')} | ${ofStorage} | ${after.ns} | ${off.toFixed(0)} |`);
}

async function fill(storage, name, jobs, acceptedAt) {
  let next = 0;
  const client = async () => {
    while (next < jobs) {
      const times = { at: 0, attempts: 0, losses: 0, acceptedAt: acceptedAt + next };
      const job = {
        handle: `H:${name}:${++next}`,
        function: name,
        unique: '',
        priority: 1,
        workload: 'x',
        reducer: '',
        ...times,
      };
      await new Promise((stored, refused) => storage.add(job, false, { stored, refused }));
    }
  };
  await Promise.all(Array.from({ length: 512 }, client));
}

/** The age that a job server on this storage tells, and what the question costs. */
async function ageIn(storage, name) {
  const jobServer = new JobServer({ listeners: [], storage });
  await jobServer.start();
  const { engine } = coreOf(jobServer);
  const told = () => {
    coreOf(jobServer).tick();
    return engine.oldestWaiting(engine.functions.find(name));
  };
  while (!engine.functions.find(name) || told() === 0) await sleep(20);
  const [age, at] = [told(), performance.now()];
  const ns = nsOf(told);
  await jobServer.stop();
  return { age, at, ns };
}

function nsOf(call) {
  for (let warm = 0; warm < CALLS / 10; warm++) call();
  const before = process.cpuUsage();
  for (let count = 0; count < CALLS; count++) call();
  const { user, system } = process.cpuUsage(before);
  return Math.round(((user + system) * 1_000) / CALLS);
}
