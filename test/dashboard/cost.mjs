// What a page that is looked at costs the job server: `npm run build && node test/dashboard/cost.mjs [FUNCTIONS...]`.
// CPU time a job of the job server's process: without a web port, with one that nobody looks at, and with one page's
// stream and questions, in turns. `RATE=20000`: so many jobs a second, and not as many as go.
import { fork } from 'node:child_process';
import { createServer, get } from 'node:http';
import { JobClient, JobWorker } from 'nestjs-gearman';
import { JobServer } from 'nestjs-gearman/job-server';
import { createWebHandler } from 'nestjs-gearman/web';

const KINDS = ['none', 'closed', 'open'];
const TURNS = 9;
/** How long a turn is measured, and how long it lasts before: what runs for the first time costs several times as much. */
const SECONDS = 10;
const SETTLED_AFTER = 4;
/** How many jobs are on their way at once. */
const IN_FLIGHT = 64;
/** How many jobs a second come; 0: as many as go. */
const RATE = Number(process.env.RATE ?? 0);

if (process.argv[2] === '--load') await load(process.argv[3], Number(process.argv[4]));
else for (const functions of process.argv.slice(2).map(Number)) await measure(functions);

/** Foreground jobs, of functions in turn. */
async function load(server, functions) {
  const worker = new JobWorker({ servers: server, concurrency: IN_FLIGHT });
  const names = Array.from({ length: functions }, (_, number) => `function-${number}`);
  for (const name of names) worker.register(name, () => '');
  await worker.start();
  const client = new JobClient({ servers: server });
  let next = 0;
  const workload = Buffer.from('x'.repeat(100));
  const submit = (over) =>
    client.submit({ function: names[next++ % functions], workload }, { complete: over, fail: over });
  const run = () => submit(run);
  if (RATE === 0) {
    for (let job = 0; job < IN_FLIGHT; job++) run();
    return;
  }
  const began = performance.now();
  setInterval(() => {
    const due = Math.floor(((performance.now() - began) * RATE) / 1_000);
    while (next < due) submit(() => undefined);
  }, 2);
}

async function measure(functions) {
  const jobServer = new JobServer({ listeners: [{ port: 0 }], log: () => undefined });
  await jobServer.start();
  const child = fork(process.argv[1], ['--load', `127.0.0.1:${jobServer.port}`, `${functions}`]);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const done = () => {
    const text = jobServer.metrics().find(({ name }) => name.endsWith('all_jobs_completed_total'));
    return text.samples[0].value;
  };
  const cost = Object.fromEntries(KINDS.map((kind) => [kind, { cpu: 0, jobs: 0, seconds: 0 }]));
  let received = 0;
  for (let turn = 0; turn < TURNS; turn++) {
    const kind = KINDS[turn % KINDS.length];
    const web = kind === 'none' ? undefined : await startWeb(jobServer);
    const page = kind === 'open' ? look(web.port, (bytes) => (received += bytes)) : undefined;
    // The first list is no part of it.
    await new Promise((resolve) => setTimeout(resolve, SETTLED_AFTER * 1_000));
    const [cpu, jobs, began] = [process.cpuUsage(), done(), performance.now()];
    if (page) received = 0;
    await new Promise((resolve) => setTimeout(resolve, SECONDS * 1_000));
    const { user, system } = process.cpuUsage(cpu);
    cost[kind].cpu += user + system;
    cost[kind].jobs += done() - jobs;
    cost[kind].seconds += (performance.now() - began) / 1_000;
    page?.();
    await web?.close();
  }
  const per = ({ cpu, jobs }) => cpu / jobs;
  const told = KINDS.map((kind) => {
    const { jobs, seconds } = cost[kind];
    const more = `${((per(cost[kind]) / per(cost.none) - 1) * 100).toFixed(1)} % more`;
    return `${kind} ${per(cost[kind]).toFixed(2)} µs a job at ${Math.round(jobs / seconds)}/s (${more})`;
  });
  console.log(
    [
      `${functions} functions that are all busy`,
      ...told,
      `${Math.round(received / SECONDS)} B/s, ${(received / SECONDS / functions).toFixed(1)} B a changed function`,
    ].join(', '),
  );
  child.kill();
  await jobServer.stop();
}

async function startWeb(jobServer) {
  const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' });
  const http = createServer(handler);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    await handler.close();
    http.closeAllConnections();
    http.close();
  };
  return { port: http.address().port, close };
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
