/** A worker that is killed: `worker.mjs SOCKETS FOLDER NAME SEED [schedules]`, with the sockets of the job servers, separated by commas. Writes down what it is given before it works, and what it did before it reports. */
import { setTimeout as sleep } from 'node:timers/promises';
import { JobWorker } from '../../build/driver/index.js';
import { Ledger } from './ledger.mjs';
import { random } from './random.mjs';

const [sockets, folder, name, seed, what] = process.argv.slice(2);
const ledger = new Ledger(folder, name);
const chance = random(Number(seed));
const worker = new JobWorker({
  servers: sockets.split(',').map((path) => `unix:${path}`),
  connectTimeout: 120_000,
  reconnect: { initialDelay: 20, maxDelay: 100 },
});
worker.on('error', () => {});

async function work({ handle, workload, server }) {
  const id = workload.toString('latin1', 0, workload.indexOf(' '));
  ledger.write('begun', handle, id, numberOf(server));
  if (chance() < 0.5) await sleep(chance() * 20);
  if (chance() < 0.02) {
    ledger.write('failed', handle, id);
    throw new Error('as it happens');
  }
  ledger.write('done', handle, id);
}

/** The number of a job server. */
function numberOf(server) {
  return sockets.split(',').findIndex((path) => server.includes(path));
}

/** A tick is identified by its unique. */
function tick({ handle, unique }) {
  ledger.write('begun', handle, unique);
  ledger.write('done', handle, unique);
}

if (what === 'schedules') worker.register('tick', tick);
else for (const fn of ['mail', 'index', 'thumbnail']) worker.register(fn, work);
await worker.start();
