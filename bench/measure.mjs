import { gearload } from './gearload.mjs';
import { FIGURES } from './loads.mjs';
import { startServer } from './servers.mjs';
import { median } from './table.mjs';

/** The load that warms up each job server before it is measured. */
const WARM_UP = ['-m', 'fg', '-n', 20_000];

/** The medians of each contestant's figures. Contestants take turns, so that a busy minute of the machine affects all. */
export async function measure(program, contestants, runs, load) {
  const results = Object.fromEntries(contestants.map((name) => [name, []]));
  for (let count = 0; count < runs; count++) {
    for (const name of contestants) results[name].push(await measureOnce(program, name, load));
  }
  return Object.fromEntries(contestants.map((name) => [name, mediansOf(results[name])]));
}

async function measureOnce(program, name, { args, queue, pushed = [] }) {
  const server = await startServer(name);
  try {
    await gearload(program, server, WARM_UP);
    if (queue) await gearload(program, server, ['-m', 'bg', '-n', queue]);
    return await gearload(program, server, name === 'gearmand' ? args : [...args, ...pushed]);
  } finally {
    await server.stop();
  }
}

function mediansOf(results) {
  return Object.fromEntries(Object.keys(FIGURES).map((figure) => [figure, median(results.map((run) => run[figure]))]));
}
