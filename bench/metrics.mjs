import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const HERE = fileURLToPath(new URL('..', import.meta.url));
/** So many jobs a round, and rounds a run: the best one counts. */
const JOBS = 300_000;
const ROUNDS = 9;
/** How often this tree and the other one take turns. */
const TURNS = 4;

/**
 * Prints what a scrape costs, by the number of functions; with `against`,
 * another built tree, what a job costs the bare engine here and there, in turn.
 */
export async function benchMetrics(against) {
  await printScrapes();
  if (against === undefined) return;
  console.log('\n| submit, grab, complete, CPU us a job | there | here | ratio |\n| --- | ---: | ---: | ---: |');
  for (let turn = 1; turn <= TURNS; turn++) {
    const [there, here] = [engineRun(against), engineRun(HERE)];
    console.log(`| turn ${turn} | ${there.toFixed(3)} | ${here.toFixed(3)} | ${(here / there).toFixed(3)} |`);
  }
}

async function printScrapes() {
  const { JobServer } = await import('../dist/job-server/job-server.js');
  const { coreOf } = await import('../dist/job-server/core-of.js');
  const { prometheusText } = await import('../dist/telemetry/index.js');
  console.log('| functions with a job | CPU ms of a scrape | bytes |\n| ---: | ---: | ---: |');
  for (const functions of [200, 1_000, 100_000]) {
    const jobServer = new JobServer({ listeners: [] });
    await jobServer.start();
    for (let number = 0; number < functions; number++) coreOf(jobServer).engine.submit(jobOf(`f${number}`, true));
    const costs = [];
    let bytes = 0;
    for (let scrape = 0; scrape < 20; scrape++) {
      const before = process.cpuUsage();
      bytes = Buffer.byteLength(prometheusText(jobServer.metrics()));
      costs.push(cpuSince(before) / 1_000);
    }
    console.log(`| ${functions} | ${median(costs).toFixed(1)} | ${bytes} |`);
    await jobServer.stop();
  }
}

/** One run in a process of its own, since what V8 has learned of one engine would harm the other. */
function engineRun(tree) {
  const { stdout, stderr, status } = spawnSync(process.execPath, [fileURLToPath(import.meta.url), tree]);
  if (status !== 0) throw new Error(`${tree}: ${stderr}`);
  return Number(stdout);
}

async function runEngine(tree) {
  const { Engine } = await import(pathToFileURL(join(tree, 'dist/job-server/engine/index.js')).href);
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, engineRound(Engine));
  console.log(best);
}

function engineRound(Engine) {
  const engine = new Engine({ handlePrefix: 'H:bench:' }, { due: () => undefined });
  engine.tick(0, Date.now());
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
  return { function: name, unique: '', workload: 'x', priority: 1, isBackground, runAt: 0 };
}

function cpuSince(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

function median(values) {
  return values.sort((one, other) => one - other)[values.length >> 1];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await runEngine(process.argv[2]);
