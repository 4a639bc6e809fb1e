/** A process with one of the libraries. As it is told, it submits, fills its queue, or works; and it reports the result. */
import { QUEUES } from './queues.mjs';

const [name, url] = process.argv.slice(2);
const queue = await QUEUES[name].open(url);
process.send('ready');

const ACTS = {
  async submit({ jobs, inFlight }) {
    let next = 0;
    const latencies = [];
    const submitOn = async () => {
      while (next++ < jobs) {
        const start = performance.now();
        await queue.add();
        latencies.push((performance.now() - start) * 1_000);
      }
    };
    const figures = await timed(jobs, () => Promise.all(Array.from({ length: inFlight }, submitOn)));
    latencies.sort((one, other) => one - other);
    const at = (part) => latencies[Math.floor((latencies.length - 1) * part)];
    return { ...figures, p50: at(0.5), p99: at(0.99) };
  },
  async fill({ jobs }) {
    await queue.fill(jobs);
    return {};
  },
  async drain({ jobs }) {
    let taken = 0;
    const took = (count) => (taken += count) >= jobs;
    return timed(jobs, () => queue.drain(took));
  },
};

process.on('message', async ({ act, ...load }) => process.send(await ACTS[act](load)));
process.on('disconnect', () => process.exit());

async function timed(jobs, work) {
  const [start, before] = [performance.now(), process.cpuUsage()];
  await work();
  const seconds = (performance.now() - start) / 1_000;
  const { user, system } = process.cpuUsage(before);
  return { perSecond: jobs / seconds, cpuMicros: (user + system) / jobs };
}
