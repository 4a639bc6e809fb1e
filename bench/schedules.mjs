import { spawnSync } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Cluster, postgresPrograms } from './fleet/cluster.mjs';
import { DISK, withFolder } from './folder.mjs';

/** How many recurring jobs there are; each is due every minute. */
const SCHEDULES = 10_000;
const MINUTE = 60_000;
/** How long an idle job server is watched, in milliseconds. */
const IDLE = 5_000;

/** How many schedules with a period of a second are watched, and how long, to see how late they fire when little is to be done. */
const FEW = 10;
const SECONDS = 30;

const STORAGES = ['none', 'memory', 'file'];
/** `same`: all schedules have the same pattern; `own`: each has a different one. */
const PATTERNS = ['same', 'own'];

/**
 * Prints what 10,000 schedules cost: a start without the state of an earlier job
 * server and one with it, an idle second, and the minute in which all of them are
 * due, with free functions and while the last jobs of all of them still wait.
 */
export async function benchSchedules({ disk }) {
  console.log(
    `${SCHEDULES} schedules, each due every minute; times in ms, the longest turn of the event loop behind\n`,
  );
  console.log(
    '| storage | patterns | first start | start again | idle CPU | all fire | CPU us each | all skipped | memory, MB |',
  );
  console.log('| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const storage of STORAGES) for (const patterns of PATTERNS) console.log(row(storage, patterns, disk));
  await inPostgres(disk);
  console.log(`\n${FEW} schedules of a second, in the log: how late ${FEW * SECONDS} ticks fired\n`);
  console.log(row('lag', '', disk));
}

/** The same in a PostgreSQL of the bench's own, if PostgreSQL is installed. */
async function inPostgres(disk) {
  if (!postgresPrograms()) {
    console.error('PostgreSQL is skipped: apt-get install postgresql');
    return;
  }
  await withFolder(disk, async (folder) => {
    const cluster = await new Cluster(folder).start();
    try {
      for (const patterns of PATTERNS) {
        await cluster.withDatabase(undefined, async (name) =>
          console.log(row('postgres', patterns, cluster.url(name))),
        );
      }
    } finally {
      await cluster.stop();
    }
  });
}

/** Runs one case in a process of its own, because what V8 has learned from one would affect the other. */
function row(storage, patterns, place) {
  const file = fileURLToPath(import.meta.url);
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, storage, patterns, place]);
  if (status !== 0) throw new Error(`${storage}, ${patterns}: ${stderr}`);
  return String(stdout).trimEnd();
}

async function runOne(storageName, patterns, place) {
  const { JobServer } = await import('../build/job-server/job-server.js');
  const { createStorage, MemoryStorage } = await import('../build/job-server/storage/index.js');
  const storages = {
    none: () => undefined,
    memory: () => new MemoryStorage(),
    file: () => createStorage({ type: 'file', path: place }),
    postgres: () => createStorage({ type: 'postgres', url: place, name: 'bench' }),
  };
  const storage = storages[storageName]();
  const schedules = tableOf(patterns);
  const clocks = {
    date: Date.UTC(2027, 0, 1, 12, 0, 30),
    get now() {
      return performance.now();
    },
  };
  const open = async () => {
    const jobServer = new JobServer({ listeners: [], schedules, ...(storage && { storage }) }, clocks);
    await jobServer.start();
    return jobServer;
  };
  const base = process.memoryUsage().rss;
  let jobServer;
  const first = await measured(async () => {
    jobServer = await open();
  });
  await settled(jobServer);
  const again = await measured(async () => {
    await jobServer.stop();
    jobServer = await open();
  });
  await settled(jobServer);
  const before = process.cpuUsage();
  await delay(IDLE);
  const idle = cpuSince(before) / 10 / IDLE;
  const fire = await measured(() => minute(jobServer, clocks, 'fired'));
  await settled(jobServer);
  const skip = await measured(() => minute(jobServer, clocks, 'skipped'));
  const memory = (process.memoryUsage().rss - base) / 2 ** 20;
  await jobServer.stop();
  const shown = ({ ms, gap }) => `${ms.toFixed(0)} (${gap.toFixed(0)})`;
  const cells = [storageName, patterns, shown(first), shown(again), `${idle.toFixed(2)} %`, shown(fire)];
  cells.push((fire.cpu / SCHEDULES).toFixed(0), shown(skip), memory.toFixed(0));
  console.log(`| ${cells.join(' | ')} |`);
}

/** Fires by the machine's clocks, and prints how late, rounded up to a power of two. */
async function runLag(path) {
  const { JobServer } = await import('../build/job-server/job-server.js');
  const table = Object.fromEntries(
    Array.from({ length: FEW }, (_, number) => [`s${number}`, { function: 'f', every: 1_000, overlap: 'queue' }]),
  );
  const jobServer = new JobServer({ listeners: [], schedules: table, storage: { type: 'file', path } });
  await jobServer.start();
  await delay(SECONDS * 1_000);
  const { lag } = jobServer.schedules;
  let seen = 0;
  const cells = lag.counts.flatMap((count, power) => {
    seen += count;
    return count > 0 ? [`${((100 * seen) / lag.count).toFixed(1)} % within ${2 ** power} ms`] : [];
  });
  await jobServer.stop();
  console.log(cells.join(', '));
}

function tableOf(patterns) {
  const table = {};
  for (let number = 0; number < SCHEDULES; number++) {
    const [minute, hour, month] = [number % 60, Math.floor(number / 60) % 24, 1 + Math.floor(number / 1_440)];
    const cron = patterns === 'same' ? '* * * * *' : `*,${minute} *,${hour} * *,${month} *`;
    table[`s${number}`] = { function: `f${number % 100}`, cron, workload: 'x'.repeat(100) };
  }
  return table;
}

/** All schedules are due: waits until each has this outcome once more. */
async function minute(jobServer, clocks, outcome) {
  const { schedules } = jobServer;
  const count = () => Array.from(schedules.all).reduce((sum, { counts }) => sum + counts[outcome], 0);
  const wanted = count() + SCHEDULES;
  clocks.date += MINUTE;
  schedules.tick(clocks);
  while (count() < wanted) await delay(5);
}

async function settled(jobServer) {
  while (Array.from(jobServer.schedules.all).some(({ isBusy }) => isBusy)) await delay(5);
  await delay(300);
}

/** How long something takes, its CPU time, and the longest turn of the event loop during it. */
async function measured(act) {
  let gap = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    gap = Math.max(gap, now - last - 1);
    last = now;
  };
  const ticker = setInterval(look, 1);
  const [start, before] = [performance.now(), process.cpuUsage()];
  await act();
  const [ms, cpu] = [performance.now() - start, cpuSince(before)];
  look();
  clearInterval(ticker);
  return { ms, cpu, gap };
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [storage, patterns, place = DISK] = process.argv.slice(2);
  if (storage === 'postgres') await runOne(storage, patterns, place);
  else await withFolder(place, (folder) => (storage === 'lag' ? runLag(folder) : runOne(storage, patterns, folder)));
}
