import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));
/** How many jobs a round has; a run has several rounds, and the best one counts. */
const JOBS = 300_000;
const ROUNDS = 9;
/** How often this tree and the other one are measured in turn. */
const TURNS = 4;

/**
 * Prints what a scrape costs, by the number of functions. With `against`, another
 * built tree, also what a job costs the bare engine here and there, measured in
 * turn, and how much memory a waiting job needs.
 */
export async function benchMetrics(against) {
  await printScrapes();
  if (against === undefined) return;
  console.log('\n| | CPU us a job there | here | ratio | bytes a queued job there | here | more |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (let turn = 1; turn <= TURNS; turn++) {
    const [there, here] = [engineRun(against), engineRun(HERE)];
    const cpu = [there.cpu.toFixed(3), here.cpu.toFixed(3), (here.cpu / there.cpu).toFixed(3)];
    const bytes = [there.bytes.toFixed(1), here.bytes.toFixed(1), (here.bytes - there.bytes).toFixed(1)];
    console.log(`| turn ${turn} | ${[...cpu, ...bytes].join(' | ')} |`);
  }
}

async function printScrapes() {
  const { JobServer } = await import('../build/job-server/job-server.js');
  const { coreOf } = await import('../build/job-server/core-of.js');
  const { MetricsListener } = await import('../build/cli/metrics/metrics-listener.js');
  console.log('| functions with a job | CPU ms of a scrape | longest turn ms | bytes |\n| ---: | ---: | ---: | ---: |');
  for (const functions of [200, 1_000, 100_000]) {
    const jobServer = new JobServer({ listeners: [] });
    await jobServer.start();
    const listener = new MetricsListener({ metrics: () => jobServer.metricsInTurns(), problem: () => undefined });
    await listener.listen(0, '127.0.0.1');
    for (let number = 0; number < functions; number++) coreOf(jobServer).engine.submit(jobOf(`f${number}`, true));
    const scrapes = [];
    for (let scrape = 0; scrape < 40; scrape++) scrapes.push(await scrapeOf(`${listener.url}/metrics`));
    // The first scrapes are slower, because V8 compiles the code while they run.
    const warm = scrapes.slice(20);
    const [cpu, turn] = ['cpu', 'turn'].map((name) => median(warm.map((scrape) => scrape[name])).toFixed(1));
    console.log(`| ${functions} | ${cpu} | ${turn} | ${warm[0].bytes} |`);
    listener.close();
    await jobServer.stop();
  }
}

/** One scrape over HTTP: the CPU time of both sides of the connection, and the longest turn of the event loop during it. */
async function scrapeOf(url) {
  const before = process.cpuUsage();
  let turn = 0;
  let isOver = false;
  let began = process.cpuUsage();
  const look = () => {
    // CPU time, because other processes use the processor too.
    turn = Math.max(turn, cpuSince(began));
    began = process.cpuUsage();
    if (!isOver) setImmediate(look);
  };
  setImmediate(look);
  const [response] = await once(get(url), 'response');
  let bytes = 0;
  for await (const chunk of response) bytes += chunk.length;
  isOver = true;
  return { cpu: cpuSince(before) / 1_000, turn: turn / 1_000, bytes };
}

/** One run in a process of its own, because what V8 has learned from one engine would slow down the other. */
function engineRun(tree) {
  const args = ['--expose-gc', fileURLToPath(import.meta.url), tree];
  const { stdout, stderr, status } = spawnSync(process.execPath, args);
  if (status !== 0) throw new Error(`${tree}: ${stderr}`);
  return JSON.parse(stdout);
}

async function runEngine(tree) {
  const { Engine } = await import(pathToFileURL(join(tree, 'build/job-server/engine/index.js')).href);
  let cpu = Infinity;
  for (let round = 0; round < ROUNDS; round++) cpu = Math.min(cpu, engineRound(Engine));
  console.log(JSON.stringify({ cpu, bytes: queuedBytes(Engine) }));
}

/** How much memory a waiting job needs. */
function queuedBytes(Engine) {
  const engine = newEngine(Engine);
  engine.submit(jobOf('f', true));
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let job = 0; job < JOBS; job++) engine.submit(jobOf('f', true));
  gc();
  const bytes = (process.memoryUsage().heapUsed - before) / JOBS;
  if (engine.jobCount !== JOBS + 1) throw new Error('the jobs are not all there');
  return bytes;
}

function newEngine(Engine) {
  const engine = new Engine({ handlePrefix: 'H:bench:' }, { due: () => undefined });
  engine.tick(0, Date.now());
  return engine;
}

function engineRound(Engine) {
  const engine = newEngine(Engine);
  const silent = new Proxy({}, { get: () => () => undefined });
  const [worker, client] = [engine.join(silent), engine.join(silent)];
  engine.canDo(worker, 'f');
  const before = process.cpuUsage();
  for (let job = 0; job < JOBS; job++) {
    engine.submit(jobOf('f', false), client);
    engine.complete(worker, engine.handleOf(engine.grab(worker, 'plain')), 'y');
    if (job % 64 === 0) engine.tick(job / 64);
  }
  return cpuSince(before) / JOBS;
}

function jobOf(name, isBackground) {
  return { function: name, unique: '', workload: 'x', priority: 1, isBackground, at: 0 };
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values) {
  return values.sort((one, other) => one - other)[values.length >> 1];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runEngine(process.argv[2]);
