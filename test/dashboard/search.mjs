// What searching jobs takes, and leaves to others: `npm run build && node test/dashboard/search.mjs [JOBS]`.
// Of jobs in storage and in memory: how many a second by the job server's CPU time and by the clock, how late its event
// loop was meanwhile, and what it still does once who asked has gone.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { JobClient } from 'nestjs-gearman';
import { JobServer, LogStorage } from 'nestjs-gearman/job-server';
import { createWebHandler } from 'nestjs-gearman/web';

const ROUNDS = 5;
/** What is searched for: none, so that every job is looked at. */
const SEARCHES = { 'a text': 'nowhere-to-be-found', 'a value in JSON': 'user.id:-1', 'an age': 'age>9999d' };

if (process.argv[2] === '--server') await serve(process.argv[3], Number(process.argv[4]));
else await measureAll(Number(process.argv[2] ?? 1_000_000));

function workloadOf(number) {
  return `{"order":${number},"user":{"id":${number}},"to":"customer-${number}@example.com"}`;
}

async function measureAll(jobs) {
  const folder = mkdtempSync(join(tmpdir(), 'gearman-search-'));
  await fill(folder, jobs);
  await measure('in storage', folder, 0, jobs);
  rmSync(folder, { recursive: true, force: true });
  await measure('in memory', '', jobs, jobs);
}

/** A folder with so many jobs that wait. */
async function fill(path, jobs) {
  const storage = new LogStorage({ path });
  await storage.open({ ready: () => undefined, trouble: () => undefined, setAside: () => undefined });
  const adder = {
    stored: () => undefined,
    refused: (error) => {
      throw error;
    },
  };
  const job = { unique: '', priority: 1, reducer: '', at: 0, attempts: 0, losses: 0, function: 'f' };
  for (let number = 0; number < jobs; number++) {
    storage.add({ ...job, handle: `H:stored:${number}`, workload: workloadOf(number) }, false, adder);
    if (number % 50_000 === 49_999) await storage.flush();
  }
  await storage.close();
}

async function measure(where, folder, submitted, jobs) {
  const child = fork(process.argv[1], ['--server', folder, `${submitted}`]);
  const [{ port }] = await once(child, 'message');
  const tell = async (word) => {
    child.send(word);
    return (await once(child, 'message'))[0];
  };
  await read(await ask(port, 'warm-up'));
  for (const [what, words] of Object.entries(SEARCHES)) {
    await tell('begin');
    const began = performance.now();
    for (let round = 0; round < ROUNDS; round++) {
      const { scanned } = JSON.parse(await read(await ask(port, words)));
      if (scanned < jobs) throw new Error(`${scanned} of ${jobs} jobs were looked at`);
    }
    const ms = performance.now() - began;
    const { cpu, p99, max } = await tell('end');
    const rate = (time) => `${Math.round((ROUNDS * jobs) / time / 1_000)}k`;
    console.log(
      `${jobs} jobs ${where}, ${what}: ${rate(ms / 1e3)} jobs/s, ${rate(cpu)} a second of CPU time, ` +
        `event loop late by ${p99.toFixed(1)} ms (99 of 100), ${max.toFixed(1)} ms (worst)`,
    );
  }
  const left = await ask(port, SEARCHES['a value in JSON']);
  left.destroy();
  await new Promise((resolve) => setTimeout(resolve, 200));
  await tell('begin');
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const { cpu } = await tell('end');
  console.log(`${jobs} jobs ${where}: ${Math.round(cpu * 1e3)} ms of CPU time in 2 s after who asked had gone`);
  child.disconnect();
  await once(child, 'exit');
}

/** Asks as the page does; resolves once the first bytes are there. */
function ask(port, words) {
  const path = `/v1/jobs?limit=1&q=${encodeURIComponent(words)}`;
  const headers = { Accept: 'text/event-stream' };
  return new Promise((resolve, reject) => get({ port, path, headers, agent: false }, resolve).on('error', reject));
}

/** @returns the data of its last event. */
async function read(response) {
  let text = '';
  for await (const part of response.setEncoding('utf8')) text = (text + part).slice(-10_000);
  return /event: end\ndata: (.*)/.exec(text)[1];
}

async function serve(path, submitted) {
  const jobServer = new JobServer({ listeners: [], ...(path && { storage: { type: 'file', path } }) });
  await jobServer.start();
  const client = new JobClient({ servers: jobServer });
  for (let number = 0; number < submitted; number += 10_000) {
    const some = Array.from({ length: Math.min(10_000, submitted - number) }, (_, index) => number + index);
    const submit = (each) => client.submitBackground({ function: 'f', workload: Buffer.from(workloadOf(each)) });
    await Promise.all(some.map(submit));
  }
  const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' });
  const http = createServer(handler);
  await new Promise((resolve) => http.listen(0, '127.0.0.1', resolve));
  const loop = monitorEventLoopDelay({ resolution: 1 });
  loop.enable();
  let before = process.cpuUsage();
  process.on('message', (word) => {
    const { user, system } = process.cpuUsage(before);
    const late = { cpu: (user + system) / 1e6, p99: loop.percentile(99) / 1e6, max: loop.max / 1e6 };
    if (word === 'begin') {
      before = process.cpuUsage();
      loop.reset();
    }
    process.send(late);
  });
  process.on('disconnect', () => process.exit());
  process.send({ port: http.address().port });
}
