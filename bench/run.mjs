/**
 * Compares our job server with C gearmand, side by side in one run:
 *
 *   npm run bench                        all loads
 *   npm run bench -- fg drain            some of them
 *   npm run bench -- --runs 5 --only ours
 *   npm run bench -- durable             stored jobs, beside gearmand's stores
 *   npm run bench -- deep --jobs 10000000 --uniques both
 *   npm run bench -- stalls [--quick]    who waits for whom, without gearmand
 *
 * Prints a Markdown table of medians. bench/README.md says how to read it.
 */
import { parseArgs } from 'node:util';
import { benchDeep } from './deep.mjs';
import { benchDurable } from './durable.mjs';
import { DISK } from './folder.mjs';
import { compileGearload, gearload } from './gearload.mjs';
import { LOADS } from './loads.mjs';
import { hasGearmand, startServer } from './servers.mjs';
import { benchStalls } from './stalls.mjs';
import { HEAD, rowsOf } from './table.mjs';

/** What every job server does before it is measured, so that it is warm. */
const WARM_UP = ['-m', 'fg', '-n', 20_000];

/** What deals with stored jobs has tables of its own, and is run when it is named. */
const STORED = { durable: benchDurable, deep: benchDeep };
const COMPARED = ['gearmand', 'ours'];
const UNIQUES = { none: [false], random: [true], both: [false, true] };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '3' },
    only: { type: 'string' },
    jobs: { type: 'string', default: '1000000' },
    uniques: { type: 'string', default: 'both' },
    disk: { type: 'string', default: DISK },
    quick: { type: 'boolean', default: false },
  },
});
const { disk, quick: isQuick } = values;
if (positionals[0] === 'stalls') {
  await benchStalls({ only: positionals.slice(1), isQuick, disk });
  process.exit();
}

const runs = Number(values.runs);
const jobs = Number(values.jobs);
const uniques = UNIQUES[values.uniques];
const unknown = positionals.filter((name) => !(name in LOADS || name in STORED));
if (unknown.length > 0 || !(runs >= 1 && jobs >= 1 && uniques) || (values.only && !COMPARED.includes(values.only))) {
  const names = [...Object.keys(LOADS), ...Object.keys(STORED)].join('] [');
  console.error(`usage: npm run bench -- [--runs N] [--only gearmand|ours] [${names}]
       durable and deep: [--disk FOLDER]; deep: [--jobs N] [--uniques none|random|both]`);
  process.exit(2);
}
const servers = COMPARED.filter((name) => !values.only || name === values.only);
if (!hasGearmand && servers.includes('gearmand')) {
  console.error('C gearmand is missing (apt-get install gearman-job-server): only ours is measured');
  servers.splice(servers.indexOf('gearmand'), 1);
}

// Job servers and folders go when the process exits; a signal alone would leave them.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

const program = compileGearload();
const loads = Object.keys(LOADS).filter((name) => positionals.length === 0 || positionals.includes(name));
if (loads.length > 0) console.log(HEAD.join('\n'));
for (const name of loads) console.log(rowsOf(LOADS[name], await measure(LOADS[name])).join('\n'));
for (const [name, bench] of Object.entries(STORED)) {
  if (positionals.includes(name)) await bench(program, { runs, jobs, uniques, disk });
}

/** Each job server's results; they take turns, so that a noisy minute hits both. */
async function measure(load) {
  const results = Object.fromEntries(servers.map((server) => [server, []]));
  for (let count = 0; count < runs; count++) {
    for (const server of servers) results[server].push(await measureOnce(server, load));
  }
  return results;
}

async function measureOnce(name, { args, queue, ours = [] }) {
  const server = await startServer(name);
  try {
    await gearload(program, server, WARM_UP);
    if (queue) await gearload(program, server, ['-m', 'bg', '-n', queue]);
    return await gearload(program, server, name === 'ours' ? [...args, ...ours] : args);
  } finally {
    await server.stop();
  }
}
