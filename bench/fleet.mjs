import { writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { ALONE } from './fleet/alone.mjs';
import { Cluster, postgresPrograms } from './fleet/cluster.mjs';
import { CONTESTANTS } from './fleet/contestants.mjs';
import { describeDisk, withFolder } from './folder.mjs';
import { median } from './table.mjs';

const FIGURES = {
  perSecond: { title: 'jobs a second', digits: 0 },
  p99: { title: 'p99 us', digits: 0 },
  cpuMicros: { title: 'CPU us a job', digits: 1 },
  databaseMicros: { title: "PostgreSQL's CPU us a job", digits: 1 },
};
/** The number of jobs in each contestant's first load, which is only for warming up. */
const EVERYBODY = { gearmand: 20_000, 'pg-boss': 6_000, 'graphile-worker': 6_000, bullmq: 4_000 };

/**
 * The loads: the contestants, each with as many jobs as take a few seconds, and
 * what one of them does. With a depth, so many jobs wait before.
 */
const LOADS = {
  submit64: {
    title: 'background, 64 in flight',
    jobs: { ours: 100_000, 'ours-uniques': 100_000, log: 200_000, ...EVERYBODY },
    play: (who, place, jobs) => who.submit(place, { jobs, inFlight: 64 }),
  },
  submit512: {
    title: 'background, 512 in flight',
    jobs: { ours: 150_000, 'ours-uniques': 100_000, log: 300_000, ...EVERYBODY },
    play: (who, place, jobs) => who.submit(place, { jobs, inFlight: 512 }),
  },
  standby: {
    title: 'the same, committed on a synchronous standby too',
    jobs: { ours: 150_000 },
    hasStandby: true,
    play: (who, place, jobs) => who.submit(place, { jobs, inFlight: 512 }),
  },
  mixed: {
    title: 'submitted and worked on at once, 64 in flight, 8 workers',
    jobs: { ours: 60_000, 'ours-uniques': 60_000, log: 100_000 },
    play: (who, place, jobs) => who.mixed(place, { jobs }),
  },
  drain: {
    title: 'taken, few wait',
    depth: 'few',
    jobs: { ours: 10_000, log: 10_000, 'pg-boss': 10_000, 'graphile-worker': 10_000, bullmq: 2_000 },
    play: (who, place, jobs) => who.drain(place, { jobs }),
  },
  'drain-deep': {
    title: 'taken, many wait',
    depth: 'many',
    jobs: { ours: 100_000, log: 100_000, 'pg-boss': 50_000, 'graphile-worker': 100_000, bullmq: 2_000 },
    play: (who, place, jobs) => who.drain(place, { jobs }),
  },
  'drain-two': {
    title: 'taken, many wait, by two job servers with 4 workers each',
    depth: 'many',
    jobs: { ours: 100_000 },
    play: (who, place, jobs) => who.drain(place, { jobs, servers: 2 }),
  },
};

/** The names that `npm run bench -- fleet` accepts. */
export const FLEET = [...Object.keys(LOADS), ...Object.keys(ALONE)];

/**
 * Job servers on one PostgreSQL, beside libraries with queues in it, gearmand's
 * queue in it, and our own storage in a log. Contestants take turns; each run
 * has a database of its own.
 *
 * @param many how many jobs wait in the loads with a deep queue.
 */
export async function benchFleet(program, { runs, disk, many, only, json, names }) {
  if (!postgresPrograms()) throw new Error('PostgreSQL is missing: apt-get install postgresql');
  const isWanted = (name) => names.length === 0 || names.includes(name);
  const [{ model }] = cpus();
  const machine = { cpu: model, cores: cpus().length, busy: Math.round(loadavg()[0]), node: process.version };
  const result = { date: new Date().toISOString().slice(0, 10), machine, runs, loads: {}, alone: {} };
  await withFolder(disk, async (folder) => {
    const cluster = await new Cluster(folder).start();
    try {
      result.settings = await cluster.settings();
      const settings = Object.entries(result.settings).map(([name, value]) => `${name} ${value}`);
      console.log(`${describeDisk(disk)}; PostgreSQL: ${settings.join(', ')}\n`);
      const bench = { program, cluster, disk, runs, depths: { few: 10_000, many }, filled: new Map() };
      const there = contestants(only);
      console.log(
        `| load | who | ${Object.values(FIGURES)
          .map(({ title }) => title)
          .join(' | ')} | ours is |`,
      );
      console.log(`| --- | --- |${' ---: |'.repeat(Object.keys(FIGURES).length + 1)}`);
      for (const [name, load] of Object.entries(LOADS).filter(([name]) => isWanted(name))) {
        result.loads[name] = await run(bench, load, there);
        console.log(rowsOf(load, result.loads[name]).join('\n'));
      }
      for (const [name, measure] of Object.entries(ALONE).filter(([name]) => isWanted(name))) {
        result.alone[name] = await measure(bench);
      }
    } finally {
      await cluster.stop();
    }
  });
  if (json) writeFileSync(json, `${JSON.stringify(result, undefined, 2)}\n`);
}

/** Those of the wanted contestants that are installed; missing ones are named. */
function contestants(only = Object.keys(CONTESTANTS)) {
  return only.filter((name) => {
    const { missing, title } = CONTESTANTS[name];
    if (missing) console.error(`${title} is skipped: ${missing}`);
    return !missing;
  });
}

async function run(bench, load, there) {
  const names = there.filter((name) => name in load.jobs);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  const withdraw = load.hasStandby && names.length > 0 ? await bench.cluster.addStandby() : undefined;
  for (let count = 0; count < bench.runs; count++) {
    for (const name of names) {
      try {
        results[name].push(await measure(bench, load, name));
      } catch (error) {
        // C gearmand has crashed here; the other contestants are measured all the same.
        console.error(`${CONTESTANTS[name].title} failed: ${error.message}`);
      }
    }
  }
  await withdraw?.();
  const measured = names.filter((name) => results[name].length > 0);
  return Object.fromEntries(measured.map((name) => [name, mediansOf(results[name])]));
}

async function measure(bench, { play, jobs, depth }, name) {
  const who = CONTESTANTS[name];
  const { cluster, program } = bench;
  if (!who.isInDatabase) {
    return withFolder(bench.disk, async (place) => {
      if (depth) await who.fill({ program, place }, { jobs: bench.depths[depth] });
      return play(who, { program, place }, jobs[name]);
    });
  }
  const template = depth && (await filled(bench, name, Math.min(who.most, bench.depths[depth])));
  return cluster.withDatabase(template, async (database) => {
    const place = { program, place: cluster.url(database), cpu: () => cluster.cpu() };
    return play(who, place, jobs[name]);
  });
}

/** A database in which so many jobs of a contestant wait, to be copied; made once. */
async function filled({ cluster, program, filled: databases }, name, jobs) {
  const key = `${name} ${jobs}`;
  if (!databases.has(key)) {
    const database = `filled_${databases.size}`;
    databases.set(key, database);
    await cluster.sql(`CREATE DATABASE ${database}`);
    await CONTESTANTS[name].fill({ program, place: cluster.url(database) }, { jobs });
    await cluster.settle(database);
  }
  return databases.get(key);
}

function mediansOf(results) {
  const known = Object.keys(FIGURES).filter((figure) => results[0][figure] > 0);
  return Object.fromEntries(known.map((figure) => [figure, median(results.map((result) => result[figure]))]));
}

function rowsOf({ title }, medians) {
  return Object.entries(medians).map(([name, figures], index) => {
    const cells = Object.entries(FIGURES).map(([figure, { digits }]) => {
      const options = { maximumFractionDigits: digits, minimumFractionDigits: digits };
      return figures[figure]?.toLocaleString('en-US', options) ?? '';
    });
    const ours = medians.ours && name !== 'ours' ? `${(medians.ours.perSecond / figures.perSecond).toFixed(2)} x` : '';
    return `| ${[index === 0 ? title : '', CONTESTANTS[name].title, ...cells, ours].join(' | ')} |`;
  });
}
