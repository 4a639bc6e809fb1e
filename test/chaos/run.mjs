/**
 * Proof by killing: submits background jobs and works on them while the job
 * server, its workers and its clients are killed (SIGKILL) at random moments,
 * then asks the ledgers, which no kill can touch, whether a promise was broken.
 *
 *   npm run chaos                                    a minute
 *   npm run chaos -- --seconds 600 --seed 7          ten, as seed 7 has it
 *   npm run chaos -- --seconds 3600 --kills 300      until so many were killed
 *   npm run chaos -- --durability interval           must fail: what is accepted is not on disk yet
 *   npm run chaos -- --schedules                     ticks of schedules, instead of jobs: ticks.mjs says how
 *
 * Exit code 0 when no accepted job was lost, and every job that ran more than
 * once was running when somebody was killed. kill -9 leaves the kernel's page
 * cache alone; that JOB_CREATED waits for the disk itself is proven with
 * strace, in test/e2e/durability-order.test.ts.
 *
 * It stands under test and not under bench because it can fail; and outside of
 * jest because its processes must be the package as it is built, and nothing else.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Actor } from './actor.mjs';
import { freePort, jobsLeft } from './job-server-port.mjs';
import { judge, nameOf } from './judge.mjs';
import { readLedgers } from './ledger.mjs';
import { random } from './random.mjs';
import { tormentSchedules } from './ticks.mjs';

/** How many of each kind there are, and which part of the kills is theirs. */
const CAST = {
  'job-server': { count: 1, part: 0.5 },
  worker: { count: 3, part: 0.3 },
  client: { count: 2, part: 0.2 },
};

/** The longest time between two kills, and how long what is left may take in the end, in milliseconds. */
const LONGEST_PEACE = 1_000;
const PATIENCE = 300_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    kills: { type: 'string', default: 'Infinity' },
    durability: { type: 'string', default: 'always' },
    schedules: { type: 'boolean', default: false },
    missed: { type: 'string', default: 'all' },
    keep: { type: 'boolean', default: false },
  },
});
const [seconds, seed, maxKills] = [values.seconds, values.seed, values.kills].map(Number);
if (!(seconds > 0) || !Number.isSafeInteger(seed) || !(maxKills > 0)) {
  console.error(
    'usage: npm run chaos -- [--seconds N] [--seed N] [--kills N] [--durability WORD] [--schedules [--missed WORD]] [--keep]',
  );
  process.exit(2);
}

if (values.schedules) {
  const kills = Number.isFinite(maxKills) ? maxKills : 200;
  process.exit(await tormentSchedules({ kills, seed, missed: values.missed, keep: values.keep }));
}

const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
const port = await freePort();
const chance = random(seed);
const actors = Object.entries(CAST).flatMap(([kind, { count }]) =>
  Array.from({ length: count }, (_, number) => new Actor(kind, number, (name) => argumentsOf(kind, name))),
);
const [jobServer] = actors;
const kills = [];

console.log(`chaos: seed ${seed}, ${seconds} s, durability ${values.durability}; everything is in ${folder}`);
for (const actor of actors) actor.start();
await torment(Date.now() + seconds * 1_000);
await comeToRest();
report(judge(readLedgers(folder), kills));
if (!values.keep) rmSync(folder, { recursive: true });

function argumentsOf(kind, name) {
  if (kind === 'job-server') return [port, join(folder, 'jobs'), values.durability];
  return [port, folder, name, Math.floor(chance() * 2 ** 31)];
}

/** Ends somebody every now and then, and starts them again. */
async function torment(until) {
  while (Date.now() < until && kills.length < maxKills) {
    await sleep(chance() * LONGEST_PEACE);
    const victim = pickVictim();
    // Now and then one that has hardly begun; not always, or no job server would ever come to work.
    if (chance() < 0.8) await victim.ready;
    await end(victim, victim === jobServer && chance() < 0.2 ? 'SIGTERM' : 'SIGKILL');
    victim.start();
  }
}

function pickVictim() {
  let dice = chance();
  const kind = Object.keys(CAST).find((each) => (dice -= CAST[each].part) < 0);
  const candidates = actors.filter((actor) => actor.kind === kind);
  return candidates[Math.floor(chance() * candidates.length)];
}

async function end(victim, signal) {
  const { kind, name } = victim;
  const time = Date.now();
  await victim.end(signal);
  kills.push({ kind, name, signal, time, over: Date.now() });
}

/** Nobody submits any more, nobody is killed: the workers do what is left. */
async function comeToRest() {
  for (const actor of actors) if (actor.kind === 'client') await actor.end('SIGKILL');
  await jobServer.ready;
  const deadline = Date.now() + PATIENCE;
  while ((await jobsLeft(port)) > 0 && Date.now() < deadline) await sleep(50);
  for (const actor of actors) if (actor.kind !== 'client') await actor.end('SIGTERM');
}

function report({ accepted, jobs, executed, lost, repeated, causes, unexplained }) {
  const complaints = actors.flatMap((actor) => actor.complaints).filter((text) => text !== '');
  const counts = new Map();
  for (const kill of kills) counts.set(nameOf(kill), (counts.get(nameOf(kill)) ?? 0) + 1);
  console.log(`ended              ${kills.length} processes (${list(counts, (count, kind) => `${kind} ${count}`)})`);
  console.log(`accepted           ${accepted} submissions, of ${jobs} jobs`);
  console.log(`executed           ${executed} at least once`);
  console.log(`lost               ${lost.length}`);
  const why = list(causes, (count, cause) => `${count} were running: ${cause}`);
  console.log(`executed again     ${repeated}${why && ` (${why})`}`);
  console.log(`unexplained        ${unexplained.length}`);
  for (const what of [
    ...lost.slice(0, 5).map((handle) => `lost: ${handle}`),
    ...unexplained.slice(0, 5),
    ...complaints,
  ]) {
    console.log(`  ${what}`);
  }
  if (accepted === 0 || lost.length > 0 || unexplained.length > 0 || complaints.length > 0) process.exitCode = 1;
}

function list(counts, textOf) {
  return [...counts].map(([what, count]) => textOf(count, what)).join(', ');
}
