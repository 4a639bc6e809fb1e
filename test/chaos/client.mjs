/** A client that is killed: `client.mjs SOCKETS FOLDER NAME SEED`, with the sockets of the job servers, separated by commas. Submits background jobs, many at once, and writes down which were accepted. */
import { JobClient } from '../../build/driver/index.js';
import { Ledger } from './ledger.mjs';
import { randomJob } from './random-job.mjs';
import { random } from './random.mjs';

const IN_FLIGHT = 32;
/** How many jobs of one function are sometimes submitted at once, in addition. */
const TOGETHER = 60;

const [sockets, folder, name, seed] = process.argv.slice(2);
const ledger = new Ledger(folder, name);
const chance = random(Number(seed));
const client = new JobClient({
  servers: sockets.split(',').map((path) => `unix:${path}`),
  choose: 'round-robin',
  connectTimeout: 120_000,
  reconnect: { initialDelay: 20, maxDelay: 100 },
});
client.on('error', () => {});
let count = 0;

/** Submits one job after the other; a submission that is refused or not answered is not accepted. */
async function submitAll() {
  for (;;) {
    const id = `${name}.${++count}`;
    try {
      const asked = randomJob(id, chance);
      // Sometimes another client waits for the same job.
      if (asked.unique && chance() < 0.3) waitFor(asked);
      const { handle } = await client.submitBackground(asked);
      ledger.write('accepted', handle, id);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise((resolve) => setTimeout(resolve, chance() * 100));
  }
}

function waitFor({ function: fn, unique, workload }) {
  client.submit({ function: fn, unique, workload, resubmit: false }, { complete() {}, fail() {} });
}

/** Sometimes submits many plain jobs of one queue at once. */
async function submitTogether() {
  for (;;) {
    const submissions = Array.from({ length: TOGETHER }, async () => {
      const id = `${name}.${++count}`;
      const { function: fn, workload } = randomJob(id, chance);
      const { handle } = await client.submitBackground({ function: fn, workload });
      ledger.write('accepted', handle, id);
    });
    await Promise.allSettled(submissions);
    await new Promise((resolve) => setTimeout(resolve, chance() * 3_000));
  }
}

for (let each = 0; each < IN_FLIGHT; each++) void submitAll();
void submitTogether();
