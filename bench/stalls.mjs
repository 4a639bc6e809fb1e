import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describeDisk, withFolder } from './folder.mjs';
import { ACTIONS } from './stalls/actions.mjs';
import { now } from './stalls/probe.mjs';

/** By how much `--quick` divides the sizes. */
const QUICK = 10;
/** How long the ECHOs go on after an action, in milliseconds, because the work that the action has left behind counts too. */
const AFTERWARDS = 300;

const program = (name) => fileURLToPath(new URL(`stalls/${name}.mjs`, import.meta.url));
const children = new Set();
process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));

/** Prints how long each action delays others; bench/README.md says how to read it. */
export async function benchStalls({ only, isQuick, disk }) {
  const unknown = only.filter((name) => !(name in ACTIONS));
  if (unknown.length > 0) {
    console.error(`no such action: ${unknown.join(', ')}; there are: ${Object.keys(ACTIONS).join(' ')}`);
    process.exit(2);
  }
  const names = Object.keys(ACTIONS).filter((name) => only.length === 0 || only.includes(name));
  console.log(`jobs are stored in ${describeDisk(disk)}\n`);
  console.log(
    '| action | size | worst ECHO ms | without GC | longest turn ms | without GC | CPU ms of a turn | GC pause ms | took ms |',
  );
  console.log('| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |');
  for (const name of names) {
    const action = ACTIONS[name];
    const size = isQuick && action.size >= QUICK ? action.size / QUICK : action.size;
    const measured = await withFolder(disk, (folder) =>
      measure(action, size, { type: 'file', path: join(folder, 'jobs') }),
    );
    console.log(rowOf(`${action.title} (\`${name}\`)`, size, measured));
  }
}

async function measure({ stored, options, prepare, restarts, act }, size, storage) {
  const all = { listeners: [{ host: '127.0.0.1', port: 0, backlog: 4_096 }], ...(stored && { storage }), ...options };
  let server = child('server', JSON.stringify(all));
  const [{ port }] = await once(server, 'message');
  const at = { port, size, path: storage.path };
  const prepared = await prepare?.(at);
  if (restarts) server = await startedAgain(server, { ...all, listeners: [{ ...all.listeners[0], port }] });
  const echo = child('echo', String(port));
  await once(echo, 'message');
  // The preparation may have left work behind.
  if (!restarts) await sleep(AFTERWARDS);
  await Promise.all([ask(server, 'begin'), ask(echo, 'begin')]);
  const start = now();
  await act(at, prepared);
  const took = now() - start;
  await sleep(AFTERWARDS);
  const { waits } = await ask(echo, 'end');
  const { turns, pauses } = await ask(server, 'end');
  for (const process of [echo, server]) stop(process);
  return { waits, turns, pauses, took };
}

/** Starts the next job server on the same folder; resolves as soon as it listens. */
async function startedAgain(server, options) {
  const ended = once(server, 'exit');
  stop(server);
  await ended;
  const next = child('server', JSON.stringify(options));
  await once(next, 'message');
  return next;
}

function rowOf(title, size, { waits, turns, pauses, took }) {
  const withoutGc = ([from, to]) => to - from - overlap(pauses, from, to);
  const cells = [
    title,
    size.toLocaleString('en-US'),
    most(waits, ([from, to]) => to - from),
    most(waits, withoutGc),
    most(turns, ({ from, to }) => to - from),
    most(turns, ({ from, to }) => withoutGc([from, to])),
    most(turns, ({ cpu }) => cpu),
    most(pauses, ([from, to]) => to - from),
    ms(took),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** How much of a period was spent in pauses. */
function overlap(pauses, from, to) {
  return pauses.reduce((sum, [start, end]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)), 0);
}

function most(items, of) {
  return ms(items.reduce((worst, item) => Math.max(worst, of(item)), 0));
}

function ms(number) {
  return number < 10 ? number.toFixed(1) : Math.round(number).toLocaleString('en-US');
}

function child(name, ...args) {
  const process = fork(program(name), args);
  children.add(process);
  return process;
}

async function ask(process, word) {
  process.send(word);
  const [answer] = await once(process, 'message');
  return answer;
}

function stop(process) {
  process.kill('SIGKILL');
  children.delete(process);
}
