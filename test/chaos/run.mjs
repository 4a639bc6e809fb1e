/**
 * Proof by killing: submits background jobs, over HTTP too, and runs them while the
 * job server, its workers and its clients are killed (SIGKILL) at random moments.
 * Then the ledgers, which no kill can damage, show whether a promise was broken.
 *
 *   npm run chaos                                    a minute
 *   npm run chaos -- --seconds 600 --seed 7          ten minutes, with the random numbers of seed 7
 *   npm run chaos -- --seconds 3600 --kills 300      until so many were killed
 *   npm run chaos -- --durability interval           must fail: what is accepted is not on disk yet
 *   npm run chaos -- --schedules                     ticks of schedules, instead of jobs: ticks.mjs says how
 *   npm run chaos -- --servers 3 --database          job servers that share a PostgreSQL, which is killed as well
 *   npm run chaos -- --servers 3 --database --pace 4 --until job-server=500,primary=100
 *                                                    struck four times as often, until so many of them were killed
 *
 * The run's folder has in `blows` what was struck when, in `job-server-N.sock.log` what each job server did, and in
 * the ledgers what clients and workers did. If a job ran again without a cause, the report has its whole story.
 *
 * Exit code 0 if no accepted job was lost, every job that ran more than once was
 * running when somebody was killed, and everything came to its end; what did not
 * within `--patience` (120 s) is reported, with its owner. With one job server the
 * metrics must account for every job as well: all jobs that came to a function have
 * left or still exist. kill -9 does not touch the kernel's page cache; that
 * JOB_CREATED waits for the disk itself is proven with strace, in
 * test/e2e/durability-order.test.ts.
 *
 * It is under test and not under bench because it can fail; and outside of jest
 * because its processes must be the built package, and nothing else.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { LogBeside } from '../../build/job-server/storage/index.js';
import { accountsOf } from './accounts.mjs';
import { Actor } from './actor.mjs';
import { Blows } from './blows.mjs';
import { DatabasePair } from './database.mjs';
import { within } from './deadline.mjs';
import { jobsLeft, socketOf, statusOf } from './job-server-address.mjs';
import { judge } from './judge.mjs';
import { hasSubmitted, readLedgers } from './ledger.mjs';
import { random } from './random.mjs';
import { storyOf } from './story.mjs';
import { tormentSchedules } from './ticks.mjs';
import { Torment } from './torment.mjs';

/** How many processes of each kind there are. */
const CAST = { 'job-server': 1, worker: 3, client: 2, 'http-client': 1 };

/** The kinds of processes whose kills a run can wait for. */
const MORTALS = [...Object.keys(CAST), 'primary', 'standby'];

/** After what time a job server counts as dead, and how long a submission waits for the database, in milliseconds. */
const LEASE_TIME = 3_000;
const DATABASE_PATIENCE = 2_000;

/** How long a run that waits for kills takes at most, in seconds, and how often it prints their number, in milliseconds. */
const LONGEST_RUN = 7_200;
const TELLING = 60_000;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 100_000) },
    kills: { type: 'string', default: 'Infinity' },
    durability: { type: 'string', default: 'always' },
    servers: { type: 'string', default: '1' },
    database: { type: 'boolean', default: false },
    patience: { type: 'string', default: '120' },
    pace: { type: 'string', default: '1' },
    until: { type: 'string' },
    schedules: { type: 'boolean', default: false },
    missed: { type: 'string', default: 'all' },
    verbose: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds ?? (values.until ? LONGEST_RUN : 60));
const [seed, maxKills, servers, pace] = [values.seed, values.kills, values.servers, values.pace].map(Number);
/** How many of each kind are to be killed. */
const wanted = new Map(values.until?.split(',').map((each) => [each.split('=')[0], Number(each.split('=')[1])]));
/** How long each step at the end may take, in milliseconds. */
const patience = Number(values.patience) * 1_000;
const isAlone = servers === 1 && !values.database;
if (
  !(seconds > 0) ||
  !Number.isSafeInteger(seed) ||
  !(maxKills > 0) ||
  !(patience > 0) ||
  !(pace > 0) ||
  ![...wanted].every(([who, count]) => MORTALS.includes(who) && count > 0) ||
  !(isAlone || (servers > 0 && values.database))
) {
  console.error('usage: npm run chaos -- [--seconds N] [--seed N] [--kills N] [--durability WORD] [--keep]');
  console.error('                        [--servers N --database] [--patience SECONDS] [--schedules [--missed WORD]]');
  console.error(`                        [--pace TIMES] [--until WHO=KILLS,...], WHO one of ${MORTALS.join(', ')}`);
  process.exit(2);
}

if (values.schedules) {
  const kills = Number.isFinite(maxKills) ? maxKills : 200;
  process.exit(await tormentSchedules({ kills, seed, missed: values.missed, keep: values.keep }));
}

const folder = mkdtempSync(join(tmpdir(), 'chaos-'));
const sockets = Array.from({ length: servers }, (_, number) => socketOf(folder, number));
CAST['job-server'] = servers;
const database = values.database ? new DatabasePair(folder) : undefined;
const chance = random(seed);
const blows = new Blows(folder, wanted);
const actors = Object.entries(CAST).flatMap(([kind, count]) =>
  Array.from({ length: count }, (_, number) => {
    return new Actor(
      kind,
      number,
      (name) => argumentsOf(kind, name),
      (lapse) => blows.add(lapse),
    );
  }),
);
/** Everything that did not come to its end. */
const unfinished = [];
/** How many jobs came to how many functions, by the metrics of the job server. */
const accounts = { jobs: 0, functions: 0 };

const kept = database ? 'PostgreSQL with a synchronous standby' : `durability ${values.durability}`;
console.log(`chaos: seed ${seed}, ${seconds} s, ${servers} job servers, ${kept}; everything is in ${folder}`);
await database?.start();
process.once('exit', () => database?.kill());
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
for (const actor of actors) actor.start();
// A process that is killed before anything was accepted proves nothing, and on a busy machine the first submission takes time.
await finish('every client has submitted a job', patience, firstSubmissions());
const begun = Date.now();
const telling = setInterval(tellBlows, TELLING).unref();
const scene = { folder, actors, database, blows, chance, pace, verbose: values.verbose };
const isOver = () => Date.now() >= begun + seconds * 1_000 || blows.list.length >= maxKills || blows.isEnough;
await finish('the last blow and what comes of it', seconds * 1_000 + patience, new Torment(scene, isOver).run());
clearInterval(telling);
await comeToRest();
const ledgers = readLedgers(folder);
const verdict = judge(ledgers, blows.list, database !== undefined);
report(verdict, database || verdict.lost.length === 0 ? new Set() : await handlesIn(join(folder, 'jobs')));
// After a failure the folder stays, to be looked at.
if (!values.keep && !process.exitCode) rmSync(folder, { recursive: true });
// Also if something has not come to its end.
process.exit();

function argumentsOf(kind, name) {
  if (kind !== 'job-server') return [sockets, folder, name, Math.floor(chance() * 2 ** 31)];
  const number = Number(name.split('-')[2]);
  return [sockets[number], JSON.stringify(database ? sharedStorage(number) : ownStorage())];
}

function ownStorage() {
  return { type: 'file', path: join(folder, 'jobs'), durability: values.durability };
}

function sharedStorage(number) {
  const times = { patience: DATABASE_PATIENCE, leaseTime: LEASE_TIME };
  // All job servers but one come back with the name they had, and get their jobs at once.
  const name = number === 0 ? {} : { name: `jobs-${number}` };
  return { type: 'postgres', url: database.url, address: `unix:${sockets[number]}`, ...times, ...name };
}

async function firstSubmissions() {
  const clients = actors.filter(({ kind }) => kind.endsWith('client'));
  while (!clients.every(({ name }) => hasSubmitted(folder, name))) await sleep(50);
}

/** Nobody submits any more, and nobody is killed: the workers do what is left. Returns how many jobs they did not do in time. */
async function comeToRest() {
  for (const actor of actors) if (actor.kind.endsWith('client')) await actor.end('SIGKILL');
  while (actors.some((actor) => actor.isStalled)) await sleep(50);
  for (const actor of actors) await finish(`${actor.name} is ready`, patience, actor.ready);
  const deadline = Date.now() + patience;
  let left = await jobsThere();
  for (; left > 0 && Date.now() < deadline; left = await jobsThere()) await sleep(50);
  if (left > 0) unfinished.push(`${left} jobs were not done within ${values.patience} s:`, ...(await whatIsLeft()));
  if (isAlone) await account(deadline);
  // The workers last, because they would wait for their job servers.
  for (const actor of actors) if (!actor.kind.endsWith('client')) await actor.end('SIGTERM');
  if (database) await finish('the databases end', patience, database.stop());
}

/** Checks the metrics: all jobs that came to each function since the job server began must have left. An end may still be on its way. */
async function account(deadline) {
  const read = () => within(patience, 'metrics are told', accountsOf(sockets[0])).catch((error) => error);
  const wrong = (told) => [...told].filter(([, { came, are }]) => came !== are);
  let told = await read();
  for (; !(told instanceof Error) && wrong(told).length > 0 && Date.now() < deadline; told = await read())
    await sleep(50);
  if (told instanceof Error) return void unfinished.push(told.message);
  for (const [name, { came, are }] of wrong(told))
    unfinished.push(`${name}: ${came} jobs came, and ${are} went or are there`);
  accounts.functions = told.size;
  for (const { came } of told.values()) accounts.jobs += came;
}

/** Waits, and writes down if that was in vain. */
async function finish(what, time, promise) {
  await within(time, what, promise).catch((error) => unfinished.push(error.message));
}

/** How many jobs there are; if nobody tells, NaN, and that is written down. */
async function jobsThere() {
  const counting = database ? database.jobsLeft() : jobsLeft(sockets[0]);
  try {
    return await within(patience, 'somebody says how many jobs there are', counting);
  } catch (error) {
    unfinished.push(error.message);
    return NaN;
  }
}

async function whatIsLeft() {
  const lists = await Promise.all(sockets.map((path) => statusOf(path).catch((error) => [String(error)])));
  const said = lists.flatMap((lines, number) => lines.map((line) => `job server ${number}: ${line}`));
  return [...said, ...(database ? await database.whatIsLeft() : [])];
}

/** The handles of all jobs in a log, read without a job server. */
async function handlesIn(path) {
  const log = await LogBeside.open(path);
  const handles = [...log.read()].map((found) => (found.is === 'dead' ? found.letter.job : found.job)?.handle);
  await log.close();
  return new Set(handles);
}

/** Prints the blows so far, for people who wait for a long run. */
function tellBlows() {
  console.log(
    `after ${Math.round((Date.now() - begun) / 1_000)} s: ${list(blows.counts, (count, what) => `${what} ${count}`)}`,
  );
}

/** @param stored what is still in the storage. */
function report({ accepted, overHttp, jobs, executed, lost, repeated, causes, unexplained }, stored) {
  const complaints = actors.flatMap((actor) => actor.complaints).filter((text) => text !== '');
  const ended = blows.list.filter(({ signal }) => signal !== 'LAPSE');
  const struck = ended.filter(({ kind, signal }) => kind === 'job-server' && signal !== 'SIGSTOP');
  const atWork = struck.filter(({ hasWorked }) => hasWorked);
  console.log(
    `ended              ${ended.length} processes (${list(blows.counts, (count, what) => `${what} ${count}`)})`,
  );
  console.log(`had had work       ${atWork.length} of ${struck.length} job servers that were killed or stopped`);
  console.log(`accepted           ${accepted} submissions, ${overHttp} of them over HTTP, of ${jobs} jobs`);
  console.log(`executed           ${executed} at least once`);
  console.log(`lost               ${lost.length}`);
  if (isAlone)
    console.log(`accounted for      ${accounts.jobs} jobs of ${accounts.functions} functions since the last kill`);
  const why = list(causes, (count, cause) => `${count} were running: ${cause}`);
  console.log(`executed again     ${repeated}${why && ` (${why})`}`);
  console.log(`unexplained        ${unexplained.length}`);
  for (const what of [
    ...unfinished,
    ...lost.slice(0, 5).map((handle) => `lost: ${handle}${stored.has(handle) ? ', which the storage has' : ''}`),
    ...unexplained.map(({ text }) => text),
    ...complaints,
  ]) {
    console.log(`  ${what}`);
  }
  for (const handle of new Set([...lost, ...unexplained.map((each) => each.handle)].slice(0, 5))) tellStory(handle);
  const faults = [unfinished, lost, unexplained, complaints];
  if (accepted > 0 && overHttp > 0 && faults.every(({ length }) => length === 0)) return;
  process.exitCode = 1;
  console.log(`everything is kept in ${folder}`);
}

function tellStory(handle) {
  console.log(`what was written down of ${handle}, and around it:`);
  for (const line of storyOf(handle, ledgers, blows.list, sockets)) console.log(`  ${line}`);
}

function list(counts, textOf) {
  return [...counts].map(([what, count]) => textOf(count, what)).join(', ');
}
