/**
 * Compares our job server with C gearmand, and with the least that a job
 * server must cost in Node and in C, side by side in one run:
 *
 *   npm run bench                        all loads
 *   npm run bench -- fg drain            some of them
 *   npm run bench -- --runs 5 --only ours,node-floor
 *   npm run bench -- growth              what grows with queue, connections, functions, workload
 *   npm run bench -- --save              keeps the result, and writes the tables and plots of docs/PERFORMANCE.md
 *   npm run bench -- check fg            compares with the result kept; ends with 1 if a load fell by more than 15 %
 *   npm run bench -- durable             stored jobs, beside gearmand's stores
 *   npm run bench -- durable --stores durable,redis
 *   npm run bench -- deep --jobs 10000000 --uniques both
 *   npm run bench -- stalls [--quick]    who waits for whom, without gearmand
 *   npm run bench -- overload [--quick]  a caller after a burst of callers who gave up
 *   npm run bench -- several             one job server and two on this machine, for the same clients and workers
 *   npm run bench -- start               what `import` and the start of a job server cost
 *   npm run bench -- metrics [--against DIR]   what a scrape costs; and a job, beside another built tree
 *   npm run bench -- live                what a second costs while a dashboard looks on, by the number of functions
 *   npm run bench -- tail [--jobs N]     memory with a tail left open, after N jobs and up to ten times as many
 *   npm run bench -- traces [--runs 5]   an echo through the transport, by what of OpenTelemetry an app has
 *   npm run bench -- schedules           10,000 schedules: their start, an idle second, the minute they are all due
 *   npm run bench -- fleet               job servers on one PostgreSQL, beside other queues in it
 *   npm run bench -- http                a request that waits for a worker, beside Nest's TCP behind the same Express
 *   npm run bench -- transports          Nest's transports, Gearman's libraries and BullMQ, beside ours
 *
 * Prints a Markdown table of medians. bench/README.md says how to read it.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { check, YARDSTICK } from './check.mjs';
import { benchDeep } from './deep.mjs';
import { benchDurable } from './durable.mjs';
import { benchFleet, FLEET } from './fleet.mjs';
import { DISK } from './folder.mjs';
import { compileGearload, measureCalls } from './gearload.mjs';
import { GROWTHS, LOADS } from './loads.mjs';
import { measure } from './measure.mjs';
import { readResult, resultOf, save, STORED } from './results.mjs';
import { hasGearmand } from './servers.mjs';
import { benchHttp } from './http.mjs';
import { benchLive } from './live.mjs';
import { benchMetrics } from './metrics.mjs';
import { benchOverload } from './overload.mjs';
import { benchSchedules } from './schedules.mjs';
import { benchSeveral } from './several.mjs';
import { benchStalls } from './stalls.mjs';
import { benchStart } from './start.mjs';
import { CONTESTANTS, HEAD, rowsOf } from './table.mjs';
import { benchTail } from './tail.mjs';
import { benchTraces } from './traces.mjs';
import { benchTransports } from './transports.mjs';

/** Benches of stored jobs, which have tables of their own and run only if they are named. */
const STORING = { durable: benchDurable, deep: benchDeep };
const UNIQUES = { none: [false], random: [true], both: [false, true] };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string', default: Object.keys(CONTESTANTS).join() },
    json: { type: 'string' },
    save: { type: 'boolean', default: false },
    against: { type: 'string' },
    jobs: { type: 'string', default: '1000000' },
    uniques: { type: 'string', default: 'both' },
    disk: { type: 'string', default: DISK },
    stores: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
// At its exit the process ends job servers and deletes folders; a signal alone would skip that.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const { disk, quick: isQuick } = values;
if (positionals[0] === 'metrics') {
  await benchMetrics(values.against);
  process.exit();
}
if (positionals[0] === 'live') {
  await benchLive();
  process.exit();
}
if (positionals[0] === 'stalls') {
  await benchStalls({ only: positionals.slice(1), isQuick, disk });
  process.exit();
}
const runs = Number(values.runs);
if (positionals[0] === 'traces') {
  await benchTraces({ runs });
  process.exit();
}
if (positionals[0] === 'schedules') {
  await benchSchedules({ disk });
  process.exit();
}
if (positionals[0] === 'start') {
  await benchStart({ runs: Number(values.runs) });
  process.exit();
}
if (positionals[0] === 'several') {
  await benchSeveral(compileGearload(), { runs });
  process.exit();
}
if (positionals[0] === 'overload') {
  await benchOverload({ isQuick, runs });
  process.exit();
}

if (positionals[0] === 'http') {
  await benchHttp({ runs });
  process.exit();
}
if (positionals[0] === 'transports') {
  await benchTransports({ runs, folder: disk });
  process.exit();
}

const jobs = Number(values.jobs);
if (positionals[0] === 'tail') {
  await benchTail({ jobs });
  process.exit();
}
if (positionals[0] === 'fleet') {
  const names = positionals.slice(1);
  const unknown = names.find((name) => !FLEET.includes(name));
  if (unknown) {
    console.error(`no load of fleet is called ${unknown}: ${FLEET.join(', ')}`);
    process.exit(2);
  }
  const only = process.argv.some((arg) => arg.startsWith('--only')) ? values.only.split(',') : undefined;
  await benchFleet(compileGearload(), { runs, disk, many: jobs, only, json: values.json, names });
  process.exit();
}

const uniques = UNIQUES[values.uniques];
const isCheck = positionals[0] === 'check';
const named = new Set(isCheck ? positionals.slice(1) : positionals);
const contestants = isCheck ? ['ours', YARDSTICK] : values.only.split(',');
const isKnown = (name) => name in LOADS || (!isCheck && (name === 'growth' || name in STORING));
const isUsable = [...named].every(isKnown) && contestants.every((name) => name in CONTESTANTS);
if (!isUsable || !(runs >= 1 && jobs >= 1 && uniques)) {
  const names = [...Object.keys(LOADS), 'growth', ...Object.keys(STORING)].join('] [');
  console.error(`usage: npm run bench -- [--runs N] [--only ${Object.keys(CONTESTANTS)}] [--json FILE] [--save] [${names}]
       npm run bench -- check [--against FILE] [LOAD...]
       durable and deep: [--disk FOLDER]; [--stores durable,redis,...]; deep: [--jobs N] [--uniques none|random|both]`);
  process.exit(2);
}
if (!hasGearmand && contestants.includes('gearmand')) {
  console.error('C gearmand is missing (apt-get install gearman-job-server): it is not measured');
  contestants.splice(contestants.indexOf('gearmand'), 1);
}

const program = compileGearload();
const calls = await measureCalls(program);
console.log(`here a write costs ${calls.writeMicros} us, a read ${calls.readMicros} us\n`);
const loads = Object.keys(LOADS).filter((name) => named.size === 0 || named.has(name));
if (isCheck) await checkAll();
else await benchAll();

async function benchAll() {
  const result = resultOf({ calls, loads: {}, growth: {} });
  if (loads.length > 0) console.log(HEAD.join('\n'));
  for (const name of loads) {
    result.loads[name] = { runs, ...(await measure(program, contestants, runs, LOADS[name])) };
    console.log(rowsOf(LOADS[name], result.loads[name]).join('\n'));
  }
  if (named.has('growth')) for (const name of Object.keys(GROWTHS)) result.growth[name] = await grow(GROWTHS[name]);
  if (values.json) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
  if (values.save) await save(result);
  for (const [name, bench] of Object.entries(STORING)) {
    if (named.has(name)) await bench(program, { runs, jobs, uniques, disk, stores: values.stores?.split(',') });
  }
}

async function grow({ title, steps, load }) {
  const figures = ['perSecond', 'cpuMicros'];
  const medians = [];
  console.log(`\n${HEAD.join('\n')}`);
  for (const at of steps) {
    const measured = await measure(program, contestants, runs, load(at));
    medians.push({ at, ...measured });
    console.log(rowsOf({ title: `${at.toLocaleString('en-US')} ${title}`, figures }, measured).join('\n'));
  }
  return medians;
}

async function checkAll() {
  const stored = readResult(values.against ?? STORED);
  const fallen = [];
  for (const name of loads) {
    const { lines, hasFallen } = check(
      name,
      stored.loads[name],
      await measure(program, contestants, runs, LOADS[name]),
    );
    console.log(lines.join('\n'));
    if (hasFallen) fallen.push(name);
  }
  console.log(
    fallen.length > 0 ? `\nfell by more than 15 %: ${fallen.join(', ')}` : '\nnothing fell by more than 15 %',
  );
  if (fallen.length > 0) process.exitCode = 1;
}
