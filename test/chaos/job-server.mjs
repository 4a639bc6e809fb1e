/** A job server that is killed: `job-server.mjs SOCKET STORAGE [SCHEDULES MISSED]`, with the storage in JSON; it also answers HTTP. Prints `ready` when it listens, and `working` when it has ended some jobs; SIGTERM stops it cleanly. */
import { openSync, rmSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { JobServer, PgStorage } from '../../dist/job-server/index.js';
import { createWebHandler } from '../../dist/web/index.js';
import { httpSocketOf, logOf } from './job-server-address.mjs';

/** After how many ended jobs it prints `working`. */
const SOME = 10;

const [path, storage, count = 0, missed] = process.argv.slice(2);
const kept = JSON.parse(storage);
/** Schedules with periods of one to three seconds, which fire whatever their last jobs do. */
const schedules = Object.fromEntries(
  Array.from({ length: Number(count) }, (_, number) => [
    `s${number}`,
    { function: 'tick', every: 1_000 * (1 + (number % 3)), missed, overlap: 'queue' },
  ]),
);
const log = openSync(logOf(path), 'a');
const jobServer = new JobServer({
  listeners: [{ path }],
  // A single job is written in a pack too, because so few come together here that packs would be rare.
  storage: kept.type === 'postgres' ? new PgStorage(kept, 1) : kept,
  schedules,
  // So a client that waits at another job server is told of an end that has already come, and the job does not run once more.
  keepResults: kept.type === 'postgres' ? 600_000 : 0,
  // Small, so that queues are deeper than the window.
  window: 50,
  policies: { '*': { retries: 1_000, backoff: { initialDelay: 20, maxDelay: 200 } } },
  log: (level, message) => {
    if (level !== 'debug') writeDown(level, message);
    if (message.includes('taken for dead')) console.log('taken for dead');
    if (level === 'error' && !isExpected(message)) console.error(message);
  },
});
let ended = 0;
jobServer.on('completed', () => {
  if (++ended === SOME) console.log('working');
});
for (const what of ['assigned', 'completed', 'failed', 'requeued']) {
  jobServer.on(what, ({ handle }) => writeDown(what, handle));
}
process.once('SIGTERM', () =>
  jobServer.stop().then(
    () => process.exit(0),
    // If its database is away, it cannot write its last changes; the others find out by themselves.
    (error) => process.exit(error.code === 'GEARMAN_STORAGE_UNREACHABLE' ? 0 : 1),
  ),
);
await start();
await answerHttp();
console.log('ready');

/** Writes a line. A kill cannot lose it, because it is in the kernel's page cache at once. */
function writeDown(what, text) {
  writeSync(log, `${Date.now()} ${process.pid} ${what} ${text}\n`);
}

/** Answers HTTP as `--web-port` does. If the one before was killed, it has left its socket behind. */
async function answerHttp() {
  const http = createServer(createWebHandler({ sources: [{ name: 'main', jobServer }], access: 'open' }));
  rmSync(httpSocketOf(path), { force: true });
  await new Promise((resolve) => http.listen(httpSocketOf(path), resolve));
}

/** Starts again until it succeeds, as a service manager would, because a job server does not start while its database is away. */
async function start() {
  for (;;) {
    try {
      return await jobServer.start();
    } catch (error) {
      if (error.code !== 'GEARMAN_STORAGE_UNREACHABLE') throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Whether a message is expected: that a killed database cannot be reached. */
function isExpected(message) {
  return JSON.parse(storage).type === 'postgres' && /cannot be reached or written|cannot show the others/.test(message);
}
