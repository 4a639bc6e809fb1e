/**
 * Compares our job server with C gearmand, side by side in one run:
 *
 *   npm run bench                        all loads
 *   npm run bench -- fg drain            some of them
 *   npm run bench -- --runs 5 --only ours
 *
 * Prints a Markdown table of medians. bench/README.md says how to read it.
 */
import { parseArgs } from 'node:util';
import { compileGearload, gearload } from './gearload.mjs';
import { LOADS } from './loads.mjs';
import { hasGearmand, SERVERS, startServer } from './servers.mjs';
import { HEAD, rowsOf } from './table.mjs';

/** What every job server does before it is measured, so that it is warm. */
const WARM_UP = ['-m', 'fg', '-n', 20_000];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '3' }, only: { type: 'string' } },
});
const runs = Number(values.runs);
const unknown = positionals.filter((name) => !(name in LOADS));
if (unknown.length > 0 || !(runs >= 1) || (values.only && !(values.only in SERVERS))) {
  console.error(`usage: npm run bench -- [--runs N] [--only gearmand|ours] [${Object.keys(LOADS).join('] [')}]`);
  process.exit(2);
}
const servers = Object.keys(SERVERS).filter((name) => !values.only || name === values.only);
if (!hasGearmand && servers.includes('gearmand')) {
  console.error('C gearmand is missing (apt-get install gearman-job-server): only ours is measured');
  servers.splice(servers.indexOf('gearmand'), 1);
}

const program = compileGearload();
console.log(HEAD.join('\n'));
for (const [name, load] of Object.entries(LOADS)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(rowsOf(load, await measure(load)).join('\n'));
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
