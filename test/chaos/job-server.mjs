/** The job server that is killed: `job-server.mjs PORT FOLDER DURABILITY [SCHEDULES MISSED]`. Says `ready` once it listens; SIGTERM stops it cleanly. */
import { JobServer } from '../../dist/job-server/job-server.js';

const [port, path, durability, count = 0, missed] = process.argv.slice(2);
/** Every one to three seconds, whatever their last jobs do. */
const schedules = Object.fromEntries(
  Array.from({ length: Number(count) }, (_, number) => [
    `s${number}`,
    { function: 'tick', every: 1_000 * (1 + (number % 3)), missed, overlap: 'queue' },
  ]),
);
const jobServer = new JobServer({
  listeners: [{ host: '127.0.0.1', port: Number(port) }],
  storage: { type: 'file', path, durability },
  schedules,
  // Small, so that queues are deeper than it.
  window: 50,
  policies: { '*': { retries: 1_000, backoff: { initialDelay: 20, maxDelay: 200 } } },
  log: (level, message) => level === 'error' && console.error(message),
});
process.once('SIGTERM', () => jobServer.stop().then(() => process.exit(0)));
await jobServer.start();
console.log('ready');
