import { gearload } from './gearload.mjs';
import { startServer } from './servers.mjs';
import { median } from './table.mjs';

/** As in the load `fg`: how many clients and workers in total, and how many jobs in flight for each client. */
const CLIENTS = 8;
const IN_FLIGHT = 8;
const JOBS = 200_000;
/** How many job servers share them. */
const COUNTS = [1, 2];

/**
 * Foreground jobs through one job server, and through two on the same machine that
 * share the same clients and workers, as `round-robin` distributes them. Each has a
 * load generator of its own. bench/README.md says how to read it.
 */
export async function benchSeveral(program, { runs }) {
  console.log('| job servers | jobs a second | server CPU us a job |');
  console.log('| ---: | ---: | ---: |');
  const results = COUNTS.map(() => []);
  for (let run = 0; run < runs; run++) {
    for (const [index, count] of COUNTS.entries()) results[index].push(await measure(program, count));
  }
  const medians = results.map((all) => ['perSecond', 'cpuMicros'].map((name) => median(all.map((one) => one[name]))));
  for (const [index, [perSecond, cpuMicros]] of medians.entries()) {
    console.log(`| ${COUNTS[index]} | ${Math.round(perSecond).toLocaleString('en-US')} | ${cpuMicros.toFixed(1)} |`);
  }
  const [one, two] = medians;
  console.log(`\ntwice as many: ${ratio(two[0], one[0])} x the jobs at ${ratio(two[1], one[1])} x the CPU a job`);
}

async function measure(program, count) {
  const servers = [];
  try {
    for (let number = 0; number < count; number++) servers.push(await startServer('ours'));
    for (const server of servers) await gearload(program, server, ['-m', 'fg', '-n', 20_000]);
    const share = ['-m', 'fg', '-c', CLIENTS / count, '-d', IN_FLIGHT, '-w', CLIENTS / count, '-n', JOBS / count];
    const loads = await Promise.all(servers.map((server) => gearload(program, server, share)));
    const seconds = Math.max(...loads.map((load) => load.seconds));
    const cpuMicros = loads.reduce((sum, load) => sum + load.cpuMicros, 0) / count;
    return { perSecond: JOBS / seconds, cpuMicros };
  } finally {
    for (const server of servers) await server.stop();
  }
}

function ratio(one, other) {
  return (one / other).toFixed(2);
}
