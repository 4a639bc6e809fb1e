import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gearload } from './gearload.mjs';
import { describeDisk, withFolder } from './folder.mjs';
import { startServer } from './servers.mjs';
import { median } from './table.mjs';

/** The number of jobs that a deep queue is compared with. */
const SHALLOW = 100_000;
const CLIENTS = 8;
const IN_FLIGHT = 512;
/** Uses other functions than the load, whose jobs must stay where they are. */
const WARM_UP = ['-m', 'fg', '-f', 2, '-n', 20_000];
/** How often the memory is measured, in milliseconds. */
const SAMPLING = 100;

/**
 * A durable queue much deeper than memory: submits so many jobs, kills the job
 * server, starts it on the same folder, and drains the queue. The same is done with
 * few jobs before and after, which shows whether the machine was busy.
 */
export async function benchDeep(program, { jobs, runs, disk, uniques, stores = ['durable'] }) {
  console.log(`jobs are stored in ${describeDisk(disk)}\n`);
  console.log('| jobs | submitted /s | CPU us | drained /s | CPU us | RssAnon MB | restart ms | file MB |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const [store, hasUniques] of stores.flatMap((name) => uniques.map((each) => [name, each]))) {
    const shallow = [];
    const measure = (count) => withFolder(disk, (folder) => goDeep(program, store, folder, count, hasUniques));
    for (let run = 0; run < runs; run++) shallow.push(await measure(SHALLOW));
    const deep = await measure(jobs);
    for (let run = 0; run < runs; run++) shallow.push(await measure(SHALLOW));
    const few = medians(shallow);
    const title = `${store === 'durable' ? '' : `, ${store}`}${hasUniques ? ', random uniques' : ''}`;
    console.log(row(`${SHALLOW.toLocaleString('en-US')}${title}`, few));
    console.log(row(`${jobs.toLocaleString('en-US')}${title}`, deep));
    const [submitted, drained] = ['submitted', 'drained'].map((rate) => (few[rate] / deep[rate]).toFixed(2));
    console.log(`| times slower | ${submitted} | | ${drained} | | | | |`);
  }
}

async function goDeep(program, store, folder, jobs, hasUniques) {
  const limit = ['-t', 60 + Math.ceil(jobs / 2_000)];
  const memory = new Memory();
  let server = await startServer(store, folder);
  try {
    await gearload(program, server, WARM_UP);
    memory.watch(server);
    const args = ['-m', 'bg', '-c', CLIENTS, '-d', IN_FLIGHT / CLIENTS, '-n', jobs, ...limit];
    const submitting = await gearload(program, server, hasUniques ? [...args, '-u'] : args);
    tell('submitted', jobs, submitting);
    await server.stop();

    const start = performance.now();
    server = await startServer(store, folder);
    const started = performance.now() - start;
    memory.watch(server);
    const first = await gearload(program, server, ['-m', 'drain', '-w', 1, '-n', 1]);
    // The job that was given to the first worker went back when that worker left.
    await gearload(program, server, WARM_UP);
    const draining = await gearload(program, server, ['-m', 'drain', '-w', 8, '-n', jobs - 1, ...limit]);
    tell('drained', jobs, draining);
    return {
      submitted: submitting.perSecond,
      submittingCpu: submitting.cpuMicros,
      drained: draining.perSecond,
      drainingCpu: draining.cpuMicros,
      anonymous: memory.peak,
      restart: started + first.seconds * 1_000,
      file: sizeOf(join(folder, 'jobs')) / 1e6,
    };
  } finally {
    memory.stop();
    await server.stop();
  }
}

/** How many bytes the files of a folder have. */
function sizeOf(folder) {
  return readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Says how far a run is, because deep runs take long. */
function tell(what, jobs, { seconds }) {
  if (jobs > SHALLOW) console.error(`${what} ${jobs.toLocaleString('en-US')} jobs in ${Math.round(seconds)} s`);
}

/** The most anonymous memory that job servers used; the memory map of their file does not count, because the kernel can drop it. */
class Memory {
  peak = 0;

  watch({ pids }) {
    this.stop();
    this.timer = setInterval(() => (this.peak = Math.max(this.peak, rssAnon(pids[0]))), SAMPLING);
  }

  stop() {
    clearInterval(this.timer);
  }
}

function rssAnon(pid) {
  try {
    const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kilobytes ?? 0) / 1_000;
  } catch {
    // The process has just been stopped.
    return 0;
  }
}

function medians(results) {
  const names = Object.keys(results[0]);
  return Object.fromEntries(names.map((name) => [name, median(results.map((result) => result[name]))]));
}

function row(title, { submitted, submittingCpu, drained, drainingCpu, anonymous, restart, file }) {
  const whole = (number) => Math.round(number).toLocaleString('en-US');
  const cells = [whole(submitted), submittingCpu.toFixed(1), whole(drained), drainingCpu.toFixed(1)];
  return `| ${[title, ...cells, whole(anonymous), whole(restart), whole(file)].join(' | ')} |`;
}
