import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { httpSocketOf } from './job-server-address.mjs';

/** Counters that must add up: each job came in one of the first ways, and left in one of the others or still exists. */
const CAME = ['jobs_submitted_total', 'jobs_restored_total', 'jobs_replayed_total'];
const WENT = [
  'jobs_completed_total',
  'jobs_failed_total',
  'jobs_buried_total',
  'jobs_cancelled_total',
  'jobs_abandoned_total',
];
const THERE = ['jobs_waiting', 'jobs_delayed', 'jobs_running'];

/**
 * How many jobs came to each function of the job server at a unix socket since its
 * process began, and how many of them have left or still exist, by its own metrics.
 */
export async function accountsOf(path) {
  const accounts = new Map();
  for (const line of (await metricsOf(path)).split('\n')) {
    const [, name, fn, value] = /^gearman_(\w+)\{function="([^"]*)".*\} (\S+)$/.exec(line) ?? [];
    const side = CAME.includes(name) ? 'came' : [...WENT, ...THERE].includes(name) ? 'are' : undefined;
    if (side === undefined) continue;
    const account = accounts.get(fn) ?? { came: 0, are: 0 };
    accounts.set(fn, { ...account, [side]: account[side] + Number(value) });
  }
  return accounts;
}

function metricsOf(path) {
  return new Promise((resolve, reject) => {
    request({ socketPath: httpSocketOf(path), path: '/metrics' }, (response) => {
      if (response.statusCode === 200) text(response).then(resolve, reject);
      else reject(new Error(`the job server at ${path} answers /metrics with ${response.statusCode}`));
    })
      .once('error', reject)
      .end();
  });
}
