/**
 * `npm run bench -- tail`: how much memory an open tail costs. One caller follows
 * every topic of `GET /v1/events` while jobs run, workers come and go, and
 * functions are paused. Printed is the job server's memory after garbage
 * collection, after N jobs and after up to ten times as many, and the same without
 * a tail. Run directly, this file is the job server, in a process of its own.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { get } from 'node:http';
import { fileURLToPath } from 'node:url';

const HOST = '127.0.0.1';
const TOPICS = 'functions,server,jobs,workers,audit';
const IN_FLIGHT = 64;
const FUNCTIONS = 100;
/** After how many jobs a worker comes and goes, and a function is paused. */
const EVERY = 500;

/** @param jobs memory is printed after so many, and up to ten times as many. */
export async function benchTail({ jobs }) {
  console.log('| tail | jobs | seconds | events told | bytes told | heap, MB | buffers, MB | resident, MB |');
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const hasTail of [true, false]) await measure(jobs, hasTail);
}

async function measure(jobs, hasTail) {
  const { JobClient, JobWorker } = await import('../dist/index.js');
  const side = fork(fileURLToPath(import.meta.url), { execArgv: ['--expose-gc'] });
  try {
    const [{ port, http }] = await once(side, 'message');
    const url = `http://${HOST}:${http}/v1`;
    const servers = `${HOST}:${port}`;
    const worker = new JobWorker({ servers, concurrency: IN_FLIGHT });
    for (let number = 0; number < FUNCTIONS; number++) worker.register(`f${number}`, () => 'done');
    await worker.start();
    const client = new JobClient({ servers });
    const tail = hasTail ? await follow(`${url}/events?topics=${TOPICS}`) : NOBODY;
    let done = 0;
    const began = performance.now();
    const run = async (target) => {
      while (done < target) {
        const number = done++;
        if (number % EVERY === 0) await stir(url, new JobWorker({ servers }));
        await new Promise((complete, fail) => {
          client.submit({ function: `f${number % FUNCTIONS}`, workload: Buffer.from('x') }, { complete, fail });
        });
      }
    };
    for (const times of [1, 2, 5, 10]) {
      await Promise.all(Array.from({ length: IN_FLIGHT }, () => run(jobs * times)));
      side.send('memory');
      const [memory] = await once(side, 'message');
      const megabytes = [memory.heapUsed, memory.arrayBuffers, memory.rss].map((bytes) => (bytes / 1e6).toFixed(2));
      const seconds = Math.round((performance.now() - began) / 1_000);
      const counts = [done, seconds, tail.events, tail.bytes].map((count) => count.toLocaleString('en-US'));
      console.log(`| ${[hasTail ? 'open' : 'none', ...counts, ...megabytes].join(' | ')} |`);
    }
    if (tail.isOver) throw new Error('the tail has ended');
    tail.request?.destroy();
    await Promise.all([client.close(), worker.close()]);
  } finally {
    side.kill();
  }
}

/** The report if nobody follows. */
const NOBODY = { request: undefined, events: 0, bytes: 0, isOver: false };

/** Lets a worker come and go, and a function be paused. */
async function stir(url, worker) {
  worker.register('guest', () => 'done');
  await worker.start();
  await worker.close();
  for (const action of ['pause', 'resume']) await fetch(`${url}/functions/guest/${action}`, { method: 'POST' });
}

async function follow(url) {
  const request = get(url);
  const [response] = await once(request, 'response');
  const tail = { request, events: 0, bytes: 0, isOver: false };
  response.setEncoding('utf8').on('data', (text) => {
    tail.bytes += text.length;
    tail.events += text.match(/^event: /gm)?.length ?? 0;
  });
  response.on('error', () => undefined).once('close', () => (tail.isOver = true));
  return tail;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve();

async function serve() {
  const { createServer } = await import('node:http');
  const { JobServer } = await import('../dist/job-server/index.js');
  const { createWebHandler } = await import('../dist/web/index.js');
  const jobServer = new JobServer({ listeners: [{ host: HOST, port: 0 }] });
  await jobServer.start();
  const server = createServer(createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' }));
  await new Promise((resolve) => server.listen(0, HOST, resolve));
  process.on('message', async () => {
    // The first collection may free objects that hold buffers; the second one frees those.
    for (let round = 0; round < 2; round++) {
      gc();
      await new Promise(setImmediate);
    }
    process.send(process.memoryUsage());
  });
  process.on('disconnect', () => process.exit());
  process.send({ port: jobServer.port, http: server.address().port });
}
