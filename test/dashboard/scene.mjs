// A live scene for the dashboard: shops' functions with workers that do them, and every kind of trouble.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JobClient, JobWorker } from 'nestjs-gearman';
import { JobServer } from 'nestjs-gearman/job-server';
import { createWebHandler } from 'nestjs-gearman/web';

const json = (value) => Buffer.from(JSON.stringify(value));
const wait = (ms, signal) =>
  new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', over);
      resolve();
    };
    const timer = setTimeout(over, ms);
    signal?.addEventListener('abort', over);
  });

/** Starts it. `isBusy: false`: a job server and its page, where nothing happens. */
export async function startScene({ port = 0, isBusy = true, storage = 'file', functions = 0, access = 'open' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'gearman-scene-'));
  const jobServer = new JobServer({
    listeners: [{ port: 0, host: '127.0.0.1' }],
    ...(storage && {
      storage: storage === 'file' ? { type: 'file', path: folder } : storage,
      policies: { 'invoice.pdf': { retries: 0 } },
      keepResults: 600_000,
    }),
    log: () => undefined,
  });
  await jobServer.start();
  const handler = createWebHandler({ sources: [{ name: 'main', jobServer }], access });
  const http = createServer(handler);
  await new Promise((resolve) => http.listen(port, '127.0.0.1', resolve));
  const client = new JobClient({ servers: jobServer });
  const workers = [];
  const timers = [];
  const submit = (name, value, more = {}) =>
    client.submitBackground({ function: name, workload: json(value), ...more }).catch(() => undefined);
  for (let number = 0; number < functions; number += 1_000) {
    const names = Array.from(
      { length: Math.min(1_000, functions - number) },
      (_, index) => `function-${number + index}`,
    );
    await Promise.all(names.map((name) => submit(name, { name })));
  }
  if (isBusy) await makeBusy();

  async function makeBusy() {
    const worker = (clientId, handlers) => {
      const made = new JobWorker({ servers: jobServer, clientId, concurrency: 8 });
      for (const [name, handle] of Object.entries(handlers)) made.register(name, handle);
      void made.start();
      workers.push(made);
    };
    const mail = {
      'mail.send': async (job) => {
        await wait(30 + Math.random() * 200, job.signal);
        return json({ sent: true });
      },
      'mail.bounce': async () => json({ seen: true }),
    };
    worker('mail-worker-1@jobs-1', mail);
    worker('mail-worker-2@jobs-2', mail);
    worker('media-1@jobs-2', {
      'image.thumbnail': async (job) => {
        await wait(80 + Math.random() * 900, job.signal);
        return json({ width: 320, height: 240 });
      },
      'video.transcode': async (job) => {
        for (let second = 0; second < 600 && !job.signal.aborted; second++) {
          job.status(second, 600);
          await wait(1_000, job.signal);
        }
        return json({ done: true });
      },
    });
    worker('billing@jobs-3', {
      'invoice.pdf': async (job) => {
        await wait(20, job.signal);
        const { order } = JSON.parse(job.workload.toString());
        if (order % 9 === 0) throw new Error(`order ${order} has no address`);
        return json({ pages: 2 });
      },
      'payment.capture': async () => json({ captured: true }),
    });
    let number = 48_200;
    timers.push(
      setInterval(() => {
        number++;
        void submit('mail.send', { to: `customer-${number}@example.com`, template: 'shipped', order: number });
        if (number % 2 === 0) void submit('image.thumbnail', { file: `product-${number}.jpg`, width: 320 });
        if (number % 3 === 0) void submit('invoice.pdf', { order: number, user: { id: number % 97 } });
        if (number % 5 === 0) void submit('payment.capture', { order: number, cents: 1_999 });
        if (number % 7 === 0) void submit('mail.bounce', { to: `customer-${number}@example.com` });
      }, 60),
    );
    for (let order = 1; order <= 40; order++) {
      void submit(
        'search.reindex',
        { shop: order, since: '2026-11-01', user: { id: order } },
        { unique: `shop-${order}` },
      );
      void submit('report.monthly', { shop: order }, { at: new Date(Date.now() + order * 3_600_000) });
      void submit('newsletter', { list: order }, { priority: order % 4 === 0 ? 'high' : 'low' });
    }
    for (let number = 0; number < 3; number++) void submit('video.transcode', { file: `clip-${number}.mov` });
    jobServer.pause('newsletter');
    const put = (id, options) => jobServer.schedules.put(id, options);
    put('nightly-reindex', { function: 'search.reindex', cron: '15 3 * * *', timeZone: 'Europe/Berlin' });
    put('monthly-report', { function: 'report.monthly', cron: '0 6 1 * *', workload: { json: { all: true } } });
    put('heartbeat', { function: 'mail.bounce', every: 60_000 });
  }

  const { port: taken } = http.address();
  const close = async () => {
    for (const timer of timers) clearInterval(timer);
    await Promise.all(workers.map((worker) => worker.close({ gracePeriod: 0 })));
    await client.close();
    await handler.close();
    http.closeAllConnections();
    http.close();
    await jobServer.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  return { jobServer, handler, client, submit, close, port: taken, origin: `http://127.0.0.1:${taken}` };
}

if (process.argv[1] === import.meta.filename) {
  const [port = '4780', functions = '0'] = process.argv.slice(2);
  const scene = await startScene({
    port: Number(port),
    functions: Number(functions),
    isBusy: process.env.IDLE !== '1',
  });
  console.log(`The page is at ${scene.origin}/`);
  process.once('SIGINT', () => void scene.close().then(() => process.exit()));
}
