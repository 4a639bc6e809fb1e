/**
 * Libraries with queues in PostgreSQL: for each, how to submit one job, how to fill
 * the queue with many at once, and how to run them as fast as possible, with the
 * settings that its documentation recommends for speed.
 */
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const NAME = 'bench';
const PAYLOAD = { x: 'x'.repeat(90) };
/** How many jobs one statement inserts when the queue is filled. */
const CHUNK = 10_000;
/** How many jobs a worker runs at once. */
const CONCURRENCY = 32;

/** pg-boss: `send`, and four that fetch 500 and complete them. */
const pgBoss = {
  packages: ['pg-boss'],
  async open(connectionString) {
    const loaded = require('pg-boss');
    const PgBoss = loaded.PgBoss ?? loaded;
    const boss = new PgBoss({ connectionString, max: 10, supervise: false, schedule: false });
    boss.on('error', (error) => console.error(error));
    await boss.start();
    await boss.createQueue(NAME);
    const fetchOn = async (took) => {
      for (;;) {
        const jobs = await boss.fetch(NAME, { batchSize: 500 });
        if (jobs.length === 0) return;
        await boss.complete(
          NAME,
          jobs.map(({ id }) => id),
        );
        if (took(jobs.length)) return;
      }
    };
    return {
      add: () => boss.send(NAME, PAYLOAD),
      async fill(count) {
        for (let left = count; left > 0; left -= CHUNK) {
          await boss.insert(Array.from({ length: Math.min(left, CHUNK) }, () => ({ name: NAME, data: PAYLOAD })));
        }
      },
      drain: (took) => Promise.all(Array.from({ length: 4 }, () => fetchOn(took))),
    };
  },
};

/** graphile-worker: `addJob`, and a local queue of 500 with completions in batches. */
const graphile = {
  packages: ['graphile-worker'],
  async open(connectionString) {
    const { makeWorkerUtils, run, Logger } = require('graphile-worker');
    const logger = new Logger(() => () => undefined);
    const utils = await makeWorkerUtils({ connectionString, maxPoolSize: 10, logger });
    await utils.migrate();
    const tuned = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
    const worker = { connectionString, concurrentJobs: CONCURRENCY, maxPoolSize: 10, ...tuned };
    return {
      add: () => utils.addJob(NAME, PAYLOAD),
      async fill(count) {
        const text = `SELECT count(*) FROM graphile_worker.add_jobs(ARRAY(
          SELECT (jsonb_populate_record(NULL::graphile_worker.job_spec, $1)) FROM generate_series(1, $2)))`;
        const spec = JSON.stringify({ identifier: NAME, payload: PAYLOAD });
        for (let left = count; left > 0; left -= CHUNK) {
          await utils.withPgClient((client) => client.query(text, [spec, Math.min(left, CHUNK)]));
        }
      },
      async drain(took) {
        const { over, end } = ending();
        const options = { preset: { worker }, logger, noHandleSignals: true };
        await run({ ...options, taskList: { [NAME]: async () => void (took(1) && end()) } });
        await over;
      },
    };
  },
};

/** BullMQ on its PostgreSQL backend: `add`, and one worker. */
const bullmq = {
  packages: ['bullmq'],
  async open(connectionString) {
    const { createPostgresBackend, withBackend } = require('bullmq');
    const { Queue, Worker } = withBackend(createPostgresBackend);
    const connection = { connectionString, migrate: true, max: 10 };
    const queue = new Queue(NAME, { connection });
    await queue.waitUntilReady();
    return {
      add: () => queue.add(NAME, PAYLOAD),
      async fill(count) {
        for (let left = count; left > 0; left -= 1_000) {
          await queue.addBulk(Array.from({ length: Math.min(left, 1_000) }, () => ({ name: NAME, data: PAYLOAD })));
        }
      },
      async drain(took) {
        const { over, end } = ending();
        const options = { connection, concurrency: CONCURRENCY, removeOnComplete: { count: 0 } };
        const worker = new Worker(NAME, async () => void (took(1) && end()), options);
        worker.on('error', (error) => console.error(error));
        await over;
      },
    };
  },
};

export const QUEUES = { 'pg-boss': pgBoss, 'graphile-worker': graphile, bullmq };

function ending() {
  let end;
  const over = new Promise((resolve) => (end = resolve));
  return { over, end };
}
