/**
 * Proof by killing, for schedules: a job server with 50 schedules of 1 to 3
 * seconds is killed (SIGKILL) again and again, and workers write down which ticks
 * they were given. Every tick of every schedule must have been run, and only once.
 *
 *   npm run chaos -- --schedules                    until the job server was killed 200 times
 *   npm run chaos -- --schedules --kills 10 --seed 7
 *   npm run chaos -- --schedules --missed once      ticks that passed while no job server was there may be left out
 *
 * Exit code 0 if no tick was run by two jobs, and no tick is missing that the
 * policy promises.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Actor } from './actor.mjs';
import { jobsLeft, socketOf } from './job-server-address.mjs';
import { readLedgers } from './ledger.mjs';
import { random } from './random.mjs';

const SCHEDULES = 50;
/** The longest time between two kills, and how long the end of the run may take, in milliseconds. */
const LONGEST_PEACE = 2_000;
const PATIENCE = 120_000;

/** Runs the test, and returns the exit code. @param missed the policy of all schedules */
export async function tormentSchedules({ kills, seed, missed, keep }) {
  const folder = mkdtempSync(join(tmpdir(), 'chaos-schedules-'));
  const socket = socketOf(folder, 0);
  const chance = random(seed);
  const storage = JSON.stringify({ type: 'file', path: join(folder, 'jobs'), durability: 'always' });
  const jobServer = new Actor('job-server', 0, () => [socket, storage, SCHEDULES, missed]);
  const workers = [0, 1].map(
    (number) => new Actor('worker', number, (name) => [socket, folder, name, seed, 'schedules']),
  );
  console.log(
    `chaos: ${SCHEDULES} schedules (missed: ${missed}), seed ${seed}, ${kills} kills; everything is in ${folder}`,
  );
  for (const actor of [jobServer, ...workers]) actor.start();
  // Before the job server has started there are no schedules, and on a busy machine that takes time.
  await jobServer.ready;
  const begun = Date.now();
  for (let kill = 0; kill < kills; kill++) {
    await sleep(chance() * LONGEST_PEACE);
    // Sometimes it is killed when it has hardly started.
    if (chance() < 0.8) await jobServer.ready;
    await jobServer.end('SIGKILL');
    jobServer.start();
  }
  await jobServer.ready;
  // Ticks that were missed while it was away have fired by now, and their jobs are run.
  await sleep(3_000);
  const over = Date.now();
  await atRest(socket);
  for (const actor of [jobServer, ...workers]) await actor.end('SIGTERM');
  const complaints = [jobServer, ...workers].flatMap((actor) => actor.complaints).filter((text) => text !== '');
  const isBroken = report(readLedgers(folder), { begun, over, missed, complaints });
  if (!keep) rmSync(folder, { recursive: true });
  return isBroken ? 1 : 0;
}

async function atRest(socket) {
  const deadline = Date.now() + PATIENCE;
  // New ticks keep coming; only those until now count.
  for (let quiet = 0; quiet < 3 && Date.now() < deadline; await sleep(100)) {
    quiet = (await jobsLeft(socket)) === 0 ? quiet + 1 : 0;
  }
}

function report({ executions }, { begun, over, missed, complaints }) {
  /** The jobs of each tick, by its unique, which a worker's ledger has instead of an id. */
  const ticks = new Map();
  for (const [handle, list] of executions) {
    const [{ id }] = list;
    ticks.set(id, [...(ticks.get(id) ?? []), handle]);
  }
  const twice = [...ticks].filter(([, handles]) => handles.length > 1);
  const lost = [];
  let wanted = 0;
  for (let number = 0; number < SCHEDULES; number++) {
    const period = 1 + (number % 3);
    const seconds = [...ticks.keys()]
      .filter((id) => id.startsWith(`s${number}@`))
      .map((id) => Number(id.split('@')[1]))
      .sort((one, other) => one - other);
    const end = Math.floor(over / 1_000 / period) * period;
    // A new schedule has missed nothing; it begins with its first tick.
    const first = seconds[0] ?? Math.ceil(begun / 1_000 / period) * period;
    if (first * 1_000 > begun + 20_000) lost.push(`s${number}: its first tick is ${first}`);
    for (let tick = first; tick <= end; tick += period) {
      wanted++;
      if (!ticks.has(`s${number}@${tick}`)) lost.push(`s${number}@${tick}`);
    }
    if (seconds.some((second) => second % period !== 0)) lost.push(`s${number} ran at another time than its ticks`);
  }
  const isLost = missed === 'all' && lost.length > 0;
  console.log(`ticks              ${wanted} of ${SCHEDULES} schedules in ${Math.round((over - begun) / 1_000)} s`);
  console.log(`ran                ${ticks.size}`);
  console.log(`lost               ${lost.length}${isLost || lost.length === 0 ? '' : ', as the policy lets it'}`);
  console.log(`twice              ${twice.length}`);
  for (const what of [
    ...(isLost ? lost.slice(0, 5).map((tick) => `lost: ${tick}`) : []),
    ...twice.slice(0, 5).map(([id, handles]) => `twice: ${id}: ${handles.join(', ')}`),
    ...complaints,
  ]) {
    console.log(`  ${what}`);
  }
  return wanted === 0 || isLost || twice.length > 0 || complaints.length > 0;
}
