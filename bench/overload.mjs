import { setTimeout as sleep } from 'node:timers/promises';
import { AdminClient, JobClient, JobWorker } from '../dist/driver/index.js';
import { hasGearmand, startServer } from './servers.mjs';
import { median } from './table.mjs';

const CALLERS = 10_000;
/** With `--quick` so many fewer. */
const QUICK = 10;
/** How long a caller waits, and how long its job takes, in milliseconds. */
const PATIENCE = 100;
const JOB = 50;
/** How long the next caller waits at most, in milliseconds: where jobs run for nobody it would be minutes. */
const LAST = 10_000;
/** How often a caller alone is measured, before the burst. */
const ALONE = 5;

const CASES = [
  { title: 'ours', server: 'ours', options: {} },
  { title: 'ours, `withdraw: false`', server: 'ours', options: { withdraw: false } },
  ...(hasGearmand ? [{ title: 'gearmand', server: 'gearmand', options: {} }] : []),
];

/** Prints how a caller is answered after a burst of callers who gave up: bench/README.md says how to read it. */
export async function benchOverload({ isQuick }) {
  const callers = isQuick ? CALLERS / QUICK : CALLERS;
  console.log(`${callers} callers wait ${PATIENCE} ms each for jobs of ${JOB} ms; one worker, one job at a time\n`);
  console.log('| job server | alone ms | next caller ms | jobs left in the queue | run for nobody |');
  console.log('| --- | ---: | ---: | ---: | ---: |');
  for (const { title, server, options } of CASES) {
    const { alone, next, left, inVain } = await measure(server, options, callers);
    const waited = next === undefined ? `over ${LAST}` : next.toFixed(0);
    console.log(`| ${title} | ${alone.toFixed(0)} | ${waited} | ${left} | ${inVain} |`);
  }
}

async function measure(name, options, callers) {
  const server = await startServer(name);
  const servers = `127.0.0.1:${server.port}`;
  const client = new JobClient({ servers, ...options });
  const worker = new JobWorker({ servers, concurrency: 1 });
  let runs = 0;
  worker.on('error', () => undefined);
  worker.register('slow', async () => {
    runs++;
    await sleep(JOB);
  });
  try {
    await worker.start();
    const times = [];
    for (let count = 0; count < ALONE; count++) times.push(await answered(client));
    runs = 0;
    const answers = await burst(client, callers);
    const next = await answered(client, LAST);
    const { queued } = await queueOf(servers);
    return { alone: median(times), next, left: queued, inVain: runs - answers - (next === undefined ? 0 : 1) };
  } finally {
    await Promise.all([client.close(), worker.close({ gracePeriod: 0 })]);
    await server.stop();
  }
}

/** Has everybody call at once and give up in time; resolves with how many were answered, once all have given up. */
async function burst(client, callers) {
  let answers = 0;
  const calls = Array.from({ length: callers }, () =>
    client.submit(
      { function: 'slow', workload: Buffer.alloc(0) },
      { complete: () => answers++, fail: () => undefined },
    ),
  );
  await sleep(PATIENCE);
  for (const call of calls) call.forget();
  return answers;
}

/** How long one caller waits for its answer, in milliseconds; undefined where it gave up. */
async function answered(client, patience = 60_000) {
  const start = performance.now();
  const { promise, resolve } = withResolvers();
  const call = client.submit({ function: 'slow', workload: Buffer.alloc(0) }, { complete: resolve, fail: resolve });
  const timer = setTimeout(() => {
    call.forget();
    resolve('gave up');
  }, patience);
  const outcome = await promise;
  clearTimeout(timer);
  return outcome === 'gave up' ? undefined : performance.now() - start;
}

function withResolvers() {
  let resolve;
  return { promise: new Promise((settle) => (resolve = settle)), resolve };
}

async function queueOf(server) {
  const admin = new AdminClient({ server });
  try {
    const [row] = await admin.status();
    return { queued: row.total - row.running };
  } finally {
    await admin.close();
  }
}
