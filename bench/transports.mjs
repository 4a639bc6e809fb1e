/**
 * `npm run bench -- transports`: Nest's transports, Gearman's libraries for
 * Node and BullMQ, side by side; client, worker and broker are processes of
 * their own.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts, freePort } from './servers.mjs';
import { median } from './table.mjs';
import { LIBRARIES, missingFor, QUEUES, TRANSPORTS } from './transports/contestants.mjs';

const MANY = { seconds: 3, inFlight: 64, bytes: 100 };
const ECHO = {
  perSecond: 'requests a second',
  p50: 'p50 us',
  p99: 'p99 us',
  clientMicros: 'client CPU us',
  workerMicros: 'worker CPU us',
  brokerMicros: 'broker CPU us',
};
const OURS = { ours: TRANSPORTS.ours, 'ours over gearmand': TRANSPORTS['ours over gearmand'] };

const TABLES = [
  { title: 'Nest, echo of 100 bytes, 64 in flight', of: TRANSPORTS, load: MANY, columns: ECHO },
  {
    title: 'Nest, echo of 100 bytes, 1 in flight',
    of: TRANSPORTS,
    load: { ...MANY, inFlight: 1 },
    columns: ECHO,
  },
  {
    title: 'Nest, echo of 1 MiB as bytes, 8 in flight',
    of: OURS,
    format: 'raw',
    load: { seconds: 3, inFlight: 8, bytes: 2 ** 20 },
    columns: { megabytes: 'MB a second, there and back' },
  },
  {
    title: 'Libraries over C gearmand, echo of 100 bytes, 64 in flight',
    of: LIBRARIES,
    format: 'bytes',
    load: MANY,
    columns: ECHO,
  },
  {
    title: 'Background jobs of 100 bytes, submitted 64 at a time and worked on at once',
    of: QUEUES,
    load: { count: 20_000, inFlight: 64, bytes: 100, isAnswered: false },
    columns: { perSecond: 'jobs a second', clientMicros: ECHO.clientMicros, workerMicros: ECHO.workerMicros },
  },
];

/** Measures everything that this machine has, `runs` times, and prints the tables. */
export async function benchTransports({ runs, folder }) {
  for (const table of TABLES) await print(table, runs, folder);
}

async function print({ title, of, format = 'text', load, columns }, runs, folder) {
  const names = Object.keys(of).filter((name) => {
    const missing = missingFor(of[name]);
    if (missing) console.error(`${name} is skipped: ${missing}`);
    return !missing;
  });
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const name of names) results[name].push(await measure(name, of[name], format, load, folder));
  }
  console.log(`\n${title}, medians of ${runs}\n`);
  console.log(`| | ${Object.values(columns).join(' | ')} |`);
  console.log(`| --- |${' ---: |'.repeat(Object.keys(columns).length)}`);
  for (const name of names) {
    const cells = Object.keys(columns).map((column) => write(median(results[name].map((result) => result[column]))));
    console.log(`| ${name} | ${cells.join(' | ')} |`);
  }
}

function write(figure) {
  if (Number.isNaN(figure)) return '-';
  return figure.toLocaleString('en-US', { maximumFractionDigits: figure < 100 ? 1 : 0 });
}

/** Starts one contestant, warms it up and measures it once. */
async function measure(name, { broker: programOf }, format, load, parent) {
  const port = await freePort();
  const folder = mkdtempSync(join(parent, 'bench-broker-'));
  const children = [];
  try {
    const broker = programOf && (await startBroker(programOf(port, folder), port, children));
    const worker = await startSide('worker', [name, port, format], children);
    const client = await startSide('client', [name, port, format], children);
    await play(client, worker, { ...load, seconds: load.seconds && 1, count: load.count && load.count / 4 });
    const before = { worker: await cpuOf(worker), broker: broker && cpuOfTree(broker.pid) };
    const result = await play(client, worker, load);
    return {
      ...result,
      workerMicros: ((await cpuOf(worker)) - before.worker) / result.done,
      brokerMicros: broker ? (cpuOfTree(broker.pid) - before.broker) / result.done : NaN,
    };
  } finally {
    for (const child of children.reverse()) await end(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Runs a load. Background jobs have ended when the worker has got the last of them. */
async function play(client, worker, load) {
  if (load.isAnswered !== false) return ask(client, load);
  const over = answerOf(worker);
  worker.send({ until: load.count });
  const result = await ask(client, load);
  const { endedAt } = await over;
  return { ...result, perSecond: (load.count * 1000) / (endedAt - result.startedAt) };
}

async function startBroker({ command, args, env = {} }, port, children) {
  const child = spawn(command, args.map(String), { stdio: 'ignore', detached: true, env: { ...process.env, ...env } });
  children.push(child);
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode} at its start`);
    await sleep(50);
  }
  return child;
}

async function startSide(side, args, children) {
  const child = fork(new URL(`transports/${side}.mjs`, import.meta.url), args.map(String));
  children.push(child);
  if ((await answerOf(child)) !== 'ready') throw new Error(`the ${side} of ${args[0]} did not start`);
  return child;
}

function ask(child, message) {
  const answer = answerOf(child);
  child.send(message);
  return answer;
}

async function answerOf(child) {
  const [answer] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])]);
  if (answer === undefined) throw new Error('a process ended while it was measured');
  return answer;
}

async function cpuOf(worker) {
  const { cpu } = await ask(worker, 'cpu');
  return cpu.user + cpu.system;
}

/** The CPU time of a process and its children, in microseconds (a tick of /proc is 10 ms); RabbitMQ is the child of a script. */
function cpuOfTree(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean);
  const own = (Number(fields[11]) + Number(fields[12])) * 10_000;
  return children.reduce((sum, child) => sum + cpuOfTree(child), own);
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, 'exit');
  if (child.connected) child.disconnect();
  else process.kill(-child.pid, 'SIGKILL');
  await over;
}
