import { gearload } from './gearload.mjs';
import { describeDisk, withFolder } from './folder.mjs';
import { hasGearmand, hasRedis, startServer } from './servers.mjs';
import { median } from './table.mjs';

/** The stores, each with a number of jobs; gearmand on SQLite is so slow that it gets fewer. */
const STORES = {
  sqlite: { title: 'gearmand, SQLite', jobs: 1_000, isThere: hasGearmand },
  redis: { title: 'gearmand, Redis', jobs: 300_000, isThere: hasGearmand && hasRedis },
  durable: { title: 'ours, durable', jobs: 300_000, isThere: true },
  ours: { title: 'ours, memory', jobs: 300_000, isThere: true },
};
const IN_FLIGHT = [64, 512];
const CLIENTS = 8;

/** Background submission by 8 clients without workers: gearmand's stores and ours, side by side. */
export async function benchDurable(program, { runs, disk, stores: wanted }) {
  const stores = Object.keys(STORES).filter((name) => STORES[name].isThere && (!wanted || wanted.includes(name)));
  console.log(`jobs are stored in ${describeDisk(disk)}; gearmand's Redis writes nothing to it\n`);
  console.log(`| in flight | figure | ${stores.map((name) => STORES[name].title).join(' | ')} | ours, durable, is |`);
  console.log(`| ---: | --- |${' ---: |'.repeat(stores.length)} --- |`);
  for (const inFlight of IN_FLIGHT) {
    const results = Object.fromEntries(stores.map((name) => [name, []]));
    for (let count = 0; count < runs; count++) {
      for (const name of stores) {
        results[name].push(await withFolder(disk, (folder) => submit(program, name, folder, inFlight)));
      }
    }
    console.log(rows(stores, inFlight, results).join('\n'));
  }
}

async function submit(program, name, folder, inFlight) {
  const { jobs } = STORES[name];
  const args = ['-m', 'bg', '-c', CLIENTS, '-d', inFlight / CLIENTS];
  const server = await startServer(name, folder);
  try {
    await gearload(program, server, ['-m', 'fg', '-n', 20_000]);
    await gearload(program, server, [...args, '-n', jobs / 10]);
    return await gearload(program, server, [...args, '-n', jobs]);
  } finally {
    await server.stop();
  }
}

function rows(stores, inFlight, results) {
  const figures = [
    { name: 'perSecond', title: 'jobs a second', digits: 0 },
    { name: 'cpuMicros', title: 'CPU us a job', digits: 1 },
    { name: 'p99', title: 'p99 us', digits: 0 },
  ];
  return figures.map(({ name, title, digits }, index) => {
    const medians = Object.fromEntries(stores.map((store) => [store, median(results[store].map((run) => run[name]))]));
    const cells = stores.map((store) => medians[store].toLocaleString('en-US', { maximumFractionDigits: digits }));
    const others = stores.filter((store) => store !== 'durable');
    const ratios = others.map((store) => `${(medians.durable / medians[store]).toFixed(2)} x ${store}`);
    return `| ${[index === 0 ? inFlight : '', title, ...cells, index === 0 ? ratios.join(', ') : ''].join(' | ')} |`;
  });
}
