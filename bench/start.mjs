import { execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts, freePort } from './servers.mjs';
import { median } from './table.mjs';

const ROOT = new URL('..', import.meta.url).pathname;
/** The budgets in milliseconds of CPU time, for the median; wall-clock time would include what else the machine does. */
const BUDGETS = { import: 60, listen: 300 };
const TICKS_PER_SECOND = 100;

const IMPORTING = `
  await import('reflect-metadata');
  await import('@nestjs/core');
  await import('@nestjs/microservices');
  const [before, began] = [process.cpuUsage(), performance.now()];
  await import('nestjs-gearman');
  const { user, system } = process.cpuUsage(before);
  console.log(JSON.stringify({ ms: performance.now() - began, cpu: (user + system) / 1000 }));
`;

/**
 * What a start costs: `import('nestjs-gearman')` in a process that has loaded Nest
 * already, and the command, from `node` to its first connection. Exits with 1 if
 * either takes more CPU time than its budget.
 */
export async function benchStart({ runs }) {
  const results = { import: [], listen: [] };
  for (let run = 0; run < runs; run++) {
    results.import.push(importOnce());
    results.listen.push(await listenOnce());
  }
  console.log('| start | CPU ms, median | at most | least | ms by the clock, median | least |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: |');
  const titles = { import: "`import('nestjs-gearman')`, Nest is there", listen: 'the job server, until it listens' };
  for (const [name, all] of Object.entries(results)) {
    const [cpu, ms] = ['cpu', 'ms'].map((figure) => all.map((one) => one[figure]));
    const figures = [median(cpu), BUDGETS[name], Math.min(...cpu), median(ms), Math.min(...ms)];
    console.log(`| ${titles[name]} | ${figures.map((figure) => figure.toFixed(0)).join(' | ')} |`);
    if (median(cpu) > BUDGETS[name]) process.exitCode = 1;
  }
}

function importOnce() {
  const args = ['--input-type=module', '-e', IMPORTING];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }));
}

async function listenOnce() {
  const port = await freePort();
  const began = performance.now();
  const args = ['dist/cli/main.js', 'job-server', '--listen', '127.0.0.1', '--port', String(port)];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'ignore' });
  try {
    while (!(await accepts(port))) {
      if (performance.now() - began > 60_000) throw new Error('the job server does not listen');
      await sleep(2);
    }
    return { ms: performance.now() - began, cpu: cpuOf(child.pid) };
  } finally {
    child.kill('SIGKILL');
  }
}

/** User and system time of a process so far, in milliseconds. */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS_PER_SECOND;
}
