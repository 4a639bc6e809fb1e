/**
 * `npm run bench -- http`: a request over HTTP that waits for a worker's answer,
 * through Nest's TCP transport and through a job server, both behind Express; and
 * through job servers' own HTTP ports, also C gearmand's. The client, the HTTP
 * server and the worker are processes of their own.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { accepts, freePort } from './servers.mjs';
import { median } from './table.mjs';

const HOST = '127.0.0.1';
const GEARMAND = process.env.GEARMAND ?? '/usr/sbin/gearmand';
const BYTES = 100;
const SECONDS = 3;
const TEXT = 'x'.repeat(BYTES);
const RUN = { path: '/v1/functions/echo/run', body: TEXT };

const CONTESTANTS = {
  'Express, controller, TCP transport': {
    sides: ['tcp-worker', 'tcp-front'],
    path: '/run',
    body: JSON.stringify({ text: TEXT }),
    headers: { 'Content-Type': 'application/json' },
    isWorkerFirst: true,
  },
  'Express, GearmanWebModule': { sides: ['worker', 'module-front'], ...RUN, path: `/gearman${RUN.path}` },
  'job-server --web-port': { sides: ['worker', 'web-port'], ...RUN },
  'gearmand --protocol http': { sides: ['worker'], path: '/echo', body: TEXT, gearmand: true, isAlone: true },
};

const COLUMNS = {
  perSecond: 'requests a second',
  p50: 'p50 us',
  p99: 'p99 us',
  frontMicros: 'CPU us of who answers HTTP',
  workerMicros: 'worker CPU us',
};

/** Measures everything that this machine has, `runs` times in turn, and prints the tables. */
export async function benchHttp({ runs }) {
  const names = Object.keys(CONTESTANTS).filter((name) => !CONTESTANTS[name].gearmand || existsSync(GEARMAND));
  for (const inFlight of [64, 1]) {
    const results = Object.fromEntries(names.map((name) => [name, []]));
    for (let run = 0; run < runs; run++) {
      for (const name of names) results[name].push(await measure(CONTESTANTS[name], inFlight));
    }
    console.log(`\nEcho of ${BYTES} bytes over HTTP, ${inFlight} in flight, medians of ${runs}\n`);
    console.log(`| | ${Object.values(COLUMNS).join(' | ')} |`);
    console.log(`| --- |${' ---: |'.repeat(Object.keys(COLUMNS).length)}`);
    for (const name of names) {
      const cells = Object.keys(COLUMNS).map((column) => Math.round(median(results[name].map((each) => each[column]))));
      console.log(`| ${name} | ${cells.map((cell) => cell.toLocaleString('en-US')).join(' | ')} |`);
    }
  }
}

/** Starts one contestant, warms it up and measures it once. */
async function measure({ sides: [worker, front], isWorkerFirst, gearmand, isAlone, ...asked }, inFlight) {
  const [port, httpPort] = [await freePort(), await freePort()];
  const children = [];
  try {
    const started = {};
    const startFront = async () => {
      started.front = gearmand
        ? await startGearmand(port, httpPort, children)
        : await start(front, port, httpPort, children);
    };
    if (!isWorkerFirst) await startFront();
    started.worker = await start(worker, port, httpPort, children);
    if (isWorkerFirst) await startFront();
    const agent = new Agent({ keepAlive: !isAlone, maxSockets: inFlight });
    const call = () => ask({ agent, host: HOST, port: httpPort, ...asked });
    await play(call, inFlight, 1);
    const before = [cpuOf(started.front), cpuOf(started.worker)];
    const result = await play(call, inFlight, SECONDS);
    agent.destroy();
    const [frontMicros, workerMicros] = [started.front, started.worker].map(
      (child, index) => (cpuOf(child) - before[index]) / result.done,
    );
    return { ...result, frontMicros, workerMicros };
  } finally {
    for (const child of children.reverse()) await end(child);
  }
}

async function play(call, inFlight, seconds) {
  const latencies = [];
  const start = performance.now();
  const caller = async () => {
    while (performance.now() < start + seconds * 1000) {
      const sent = performance.now();
      await call();
      latencies.push((performance.now() - sent) * 1000);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const perSecond = (latencies.length * 1000) / (performance.now() - start);
  latencies.sort((one, other) => one - other);
  const at = (part) => latencies[Math.floor(latencies.length * part)];
  return { done: latencies.length, perSecond, p50: at(0.5), p99: at(0.99) };
}

function ask({ body, headers, ...options }) {
  return new Promise((resolve, reject) => {
    const length = { 'Content-Length': Buffer.byteLength(body) };
    const asked = request({ method: 'POST', ...options, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.setEncoding('latin1').on('data', (part) => (text += part));
      response.once('error', reject).once('end', () => {
        if (text === TEXT) resolve();
        else reject(new Error(`${response.statusCode}: ${text}`));
      });
    });
    asked.once('error', reject).end(body);
  });
}

async function start(side, port, httpPort, children) {
  const child = fork(new URL('http/side.mjs', import.meta.url), [side, port, httpPort].map(String));
  children.push(child);
  const [said] = await Promise.race([once(child, 'message'), once(child, 'exit').then(() => [])]);
  if (said !== 'ready') throw new Error(`${side} did not start`);
  return child;
}

async function startGearmand(port, httpPort, children) {
  const options = [`--port=${port}`, `--http-port=${httpPort}`, '--protocol=http', '--threads=4'];
  const child = spawn(GEARMAND, [...options, `--listen=${HOST}`, '--log-file=stderr'], { stdio: 'ignore' });
  children.push(child);
  while (!(await accepts(httpPort))) {
    if (child.exitCode !== null) throw new Error(`gearmand ended with ${child.exitCode} at its start`);
    await sleep(50);
  }
  return child;
}

/** The CPU time of a process, in microseconds; a tick of /proc is 10 ms. */
function cpuOf({ pid }) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000;
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const over = once(child, 'exit');
  child.kill('SIGKILL');
  await over;
}
