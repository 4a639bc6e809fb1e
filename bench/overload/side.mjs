/** One process of the overload bench: its worker, the callers of the burst, or one caller alone. */
import { setTimeout as sleep } from 'node:timers/promises';
import { JobClient, JobWorker } from '../../build/driver/index.js';

const [role, servers, options] = process.argv.slice(2);
const JOB = { function: 'slow', workload: Buffer.alloc(0) };

const sides = { worker, callers, caller };
const answer = await sides[role]();
process.on('message', async (message) => process.send(await answer(message)));
process.once('disconnect', () => process.exit());
process.send('ready');

/** Runs one job at a time, each for a fixed time or until nobody waits for it any more; reports how many it has run. */
async function worker() {
  const { jobTime } = JSON.parse(options);
  const jobWorker = new JobWorker({ servers, concurrency: 1 });
  let runs = 0;
  jobWorker.on('error', () => undefined);
  jobWorker.register('slow', async ({ signal }) => {
    runs++;
    await sleep(jobTime, undefined, { signal });
  });
  await jobWorker.start();
  return () => runs;
}

/** Many callers call at once and give up in time. When all have given up and the job server knows it, reports how many were answered. */
function callers() {
  const client = new JobClient({ servers, ...JSON.parse(options) });
  return async ({ count, patience }) => {
    let answers = 0;
    const calls = Array.from({ length: count }, () =>
      client.submit(JOB, { complete: () => answers++, fail: () => undefined }),
    );
    await sleep(patience);
    for (const call of calls) call.forget();
    // The first ECHO is answered after all submissions and withdrawals were sent, the second after the job server has obeyed them.
    await client.echo('');
    await client.echo('');
    return answers;
  };
}

/** One caller calls; reports how many milliseconds it waited, or null if it gave up. */
function caller() {
  const client = new JobClient({ servers });
  return async ({ patience }) => {
    const start = performance.now();
    const isAnswered = await new Promise((resolve) => {
      const call = client.submit(JOB, { complete: () => resolve(true), fail: () => resolve(true) });
      setTimeout(() => {
        call.forget();
        resolve(false);
      }, patience).unref();
    });
    return isAnswered ? performance.now() - start : null;
  };
}
