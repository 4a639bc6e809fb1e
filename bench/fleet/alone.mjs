import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import pg from 'pg';
import { gearload } from '../gearload.mjs';
import { startServer } from '../servers.mjs';

const run = promisify(execFile);
const HELD = fileURLToPath(new URL('held-snapshot.mjs', import.meta.url));
/** How many jobs a second, and for how many seconds, while another session holds a snapshot. */
const RATE = 5_000;
const HELD_FOR = Number(process.env.HELD_SECONDS ?? 60);
/** How long an idle job server is watched, in seconds. */
const IDLE = 20;
const FUNCTIONS = 10_000;

/** Measurements of our job server without contestants. */
export const ALONE = {
  /** The median time of a lease in each quarter of the time, without an old snapshot and with one. */
  async held({ cluster }) {
    const results = {};
    for (const isHeld of [false, true]) {
      results[isHeld ? 'held' : 'free'] = await cluster.withDatabase(undefined, async (database) => {
        const url = cluster.url(database);
        const holder = isHeld && (await holdSnapshot(url));
        const { stdout } = await run(process.execPath, [HELD, url, RATE, HELD_FOR].map(String));
        if (holder) await holder.end();
        return JSON.parse(stdout);
      });
    }
    const shown = ({ p50 }) => p50.map((ms) => ms.toFixed(1)).join(', ');
    const seconds = `${HELD_FOR} s at ${RATE.toLocaleString('en-US')} jobs a second`;
    console.log(`\nmedian lease in ms by quarters of ${seconds}: ${shown(results.free)}`);
    console.log(`while a snapshot of its beginning is held: ${shown(results.held)}`);
    return results;
  },

  /** How many statements a job server runs when it has nothing to do. */
  idle: ({ cluster }) =>
    cluster.withDatabase(undefined, async (database) => {
      const server = await startServer('postgres', cluster.url(database));
      try {
        await sleep(2_000);
        const count = async () => {
          const text = `SELECT sum(calls)::int AS calls FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
            WHERE d.datname = '${database}'`;
          return (await cluster.sql(text))[0].calls;
        };
        const before = await count();
        await sleep(IDLE * 1_000);
        const perSecond = ((await count()) - before) / IDLE;
        console.log(`\nan idle job server runs ${perSecond.toFixed(2)} statements a second`);
        return { perSecond };
      } finally {
        await server.stop();
      }
    }),

  /** How long a start takes if 10,000 functions have jobs. */
  functions: ({ cluster, program }) =>
    cluster.withDatabase(undefined, async (database) => {
      const url = cluster.url(database);
      const filling = await startServer('postgres', url);
      const args = ['-m', 'bg', '-c', 8, '-d', 64, '-f', FUNCTIONS, '-n', FUNCTIONS];
      await gearload(program, filling, args);
      await filling.stop();
      const start = performance.now();
      const server = await startServer('postgres', url);
      const ms = performance.now() - start;
      await server.stop();
      console.log(
        `\nwith jobs of ${FUNCTIONS.toLocaleString('en-US')} functions it listens after ${Math.round(ms)} ms`,
      );
      return { ms };
    }),
};

async function holdSnapshot(connectionString) {
  const client = new pg.Client({ connectionString });
  await client.connect();
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
  await client.query('SELECT 1');
  return client;
}
