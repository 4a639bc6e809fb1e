// What a page that is looked at costs the job server: `npm run build && node test/dashboard/cost.mjs [FUNCTIONS...]`.
// CPU time a job of the job server's process, with one page's stream and questions and without, in turns.
import { fork } from 'node:child_process';
import { createServer, get } from 'node:http';
import { JobClient, JobWorker } from 'nestjs-gearman';
import { JobServer } from 'nestjs-gearman/job-server';
import { createWebHandler } from 'nestjs-gearman/web';

const TURNS = 12;
const SECONDS = 3;
/** How many jobs are on their way at once. */
const IN_FLIGHT = 64;

if (process.argv[2] === '--load') await load(process.argv[3], Number(process.argv[4]));
else for (const functions of process.argv.slice(2).map(Number)) await measure(functions);

/** Foreground jobs as fast as they go, of functions in turn. */
async function load(server, functions) {
  const worker = new JobWorker({ servers: server, concurrency: IN_FLIGHT });
  const names = Array.from({ length: functions }, (_, number) => `function-${number}`);
  for (const name of names) worker.register(name, () => '');
  await worker.start();
  const client = new JobClient({ servers: server });
  let next = 0;
  const workload = Buffer.from('x'.repeat(100));
  const run = () => client.submit({ function: names[next++ % functions], workload }, { complete: run, fail: run });
  for (let job = 0; job < IN_FLIGHT; job++) run();
}

async function measure(functions) {
  const jobServer = new JobServer({ listeners: [{ port: 0 }], log: () => undefined });
  await jobServer.start();
  const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' });
  const http = createServer(handler);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const { port } = http.address();
  const child = fork(process.argv[1], ['--load', `127.0.0.1:${jobServer.port}`, `${functions}`]);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const done = () => {
    const text = jobServer.metrics().find(({ name }) => name.endsWith('all_jobs_completed_total'));
    return text.samples[0].value;
  };
  const cost = { closed: { cpu: 0, jobs: 0, seconds: 0 }, open: { cpu: 0, jobs: 0, seconds: 0 } };
  let received = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const kind = turn % 2 === 0 ? 'closed' : 'open';
    const page = kind === 'open' ? look(port, (bytes) => (received += bytes)) : undefined;
    // The first list is no part of it.
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const [cpu, jobs, began] = [process.cpuUsage(), done(), performance.now()];
    if (page) received = 0;
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
    const { user, system } = process.cpuUsage(cpu);
    cost[kind].cpu += user + system;
    cost[kind].jobs += done() - jobs;
    cost[kind].seconds += (performance.now() - began) / 1_000;
    page?.();
  }
  const per = ({ cpu, jobs }) => cpu / jobs;
  const rate = ({ jobs, seconds }) => Math.round(jobs / seconds);
  console.log(
    [
      `${functions} functions that are all busy`,
      `closed ${per(cost.closed).toFixed(2)} µs a job at ${rate(cost.closed)}/s`,
      `open ${per(cost.open).toFixed(2)} µs a job at ${rate(cost.open)}/s`,
      `${((per(cost.open) / per(cost.closed) - 1) * 100).toFixed(1)} % more`,
      `${Math.round(received / SECONDS)} B/s, ${(received / SECONDS / functions).toFixed(1)} B a changed function`,
    ].join(', '),
  );
  child.kill();
  await handler.close();
  http.closeAllConnections();
  http.close();
  await jobServer.stop();
}

/** Looks as the page does: its stream, and the last hour every ten seconds. @returns what ends it. */
function look(port, heard) {
  const headers = { 'Accept-Encoding': 'gzip' };
  const stream = get({ port, path: '/v1/events', headers, agent: false }, (response) => {
    response.on('data', ({ length }) => heard(length));
  });
  stream.on('error', () => undefined);
  const ask = () => get({ port, path: '/v1/history', headers, agent: false }, (response) => response.resume());
  ask();
  const timer = setInterval(ask, 10_000);
  return () => {
    stream.destroy();
    clearInterval(timer);
  };
}
