import { expect, it } from '@jest/globals';
import { AdminClient, WorkException, type GearmanError } from '../../../lib/driver/index.js';
import { JobServer } from '../../../lib/job-server/index.js';
import { atEnd } from '../../support/cleanup.js';
import { follow, gate, newWorker, resultOf, startClient } from '../../support/driver-jobs.js';
import { describeJobServers } from '../../support/job-servers.js';
import { until } from '../../support/until.js';

describeJobServers('the driver', (servers) => {
  /** What a client is told of a job whose handler threw: why, where the job server tells exceptions as PROTOCOL has it. */
  const failure = (words: string): object =>
    servers() instanceof JobServer
      ? { code: 'GEARMAN_JOB_EXCEPTION', message: expect.stringMatching(`failed: ${words}`) }
      : { code: 'GEARMAN_JOB_FAILED' };

  it.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('grüße')],
    ['every byte', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
    ['1 MiB', Buffer.alloc(1024 * 1024, 'gearman')],
  ])('carries a workload there and back: %s', async (name, workload) => {
    const worker = newWorker({ servers: servers() });
    worker.register(`echo ${name}`, (job) => job.workload);
    await worker.start();
    const client = startClient({ servers: servers() });
    expect((await resultOf(client, { function: `echo ${name}`, workload })).equals(workload)).toBe(true);
    await worker.close();
  });

  it('tells a client everything its job says, in order', async () => {
    const worker = newWorker({ servers: servers() });
    worker.register('talk', (job) => {
      job.data('one');
      job.status(1, 2);
      job.warning('careful');
      job.data('two');
      return `${job.workload.toString()} done`;
    });
    await worker.start();
    const job = follow(startClient({ servers: servers() }), { function: 'talk', workload: Buffer.from('all') });
    await job.over;
    expect(job.heard).toEqual(['data one', 'status 1/2', 'warning careful', 'data two', 'complete all done']);
  });

  it('tells a client that its job failed, and why if the worker said so', async () => {
    const worker = newWorker({ servers: servers() });
    const errors: string[] = [];
    worker.on('error', (error) => errors.push((error as GearmanError).code));
    worker.register('fail', () => Promise.reject(new Error('secret')));
    worker.register('except', () => Promise.reject(new WorkException('no such file')));
    await worker.start();
    const client = startClient({ servers: servers() });
    const workload = Buffer.alloc(0);
    await expect(resultOf(client, { function: 'fail', workload })).rejects.toMatchObject(failure('secret'));
    await expect(resultOf(client, { function: 'except', workload })).rejects.toMatchObject({
      code: 'GEARMAN_JOB_EXCEPTION',
      bytes: Buffer.from('no such file'),
    });
    // Had a job ended twice, the job server would have said so.
    await client.echo('sync');
    await worker.close();
    expect(errors).toEqual(['GEARMAN_HANDLER_FAILED']);
  });

  it('runs many jobs of one connection at once, and no more than its slots', async () => {
    let running = 0;
    let most = 0;
    const all = gate();
    const worker = newWorker({ servers: servers(), concurrency: 4 });
    worker.register('parallel', async () => {
      most = Math.max(most, ++running);
      if (running === 4) all.open();
      await all.opened;
      running--;
    });
    await worker.start();
    const client = startClient({ servers: servers() });
    await Promise.all(
      Array.from({ length: 40 }, () => resultOf(client, { function: 'parallel', workload: Buffer.alloc(0) })),
    );
    expect(most).toBe(4);
  });

  it('runs one job for all who ask for the same unique, and each hears every packet once', async () => {
    const [first, second] = [gate(), gate()];
    let runs = 0;
    const worker = newWorker({ servers: servers() });
    worker.register('shared', async (job) => {
      runs++;
      await first.opened;
      job.data('early');
      await second.opened;
      job.data('late');
      return 'result';
    });
    await worker.start();
    const [client, other] = [startClient({ servers: servers() }), startClient({ servers: servers() })];
    const request = { function: 'shared', workload: Buffer.from('x'), unique: 'one' };
    const early = [...Array.from({ length: 20 }, () => follow(client, request)), follow(other, request)];
    await Promise.all(early.map(({ created }) => created));
    first.open();
    await until('the early ones hear', () => early.every(({ heard }) => heard.length === 1));
    const late = [follow(client, request), follow(other, request), follow(client, request)];
    await Promise.all(late.map(({ created }) => created));
    second.open();
    await Promise.all([...early, ...late].map(({ over }) => over));
    for (const { heard } of early) expect(heard).toEqual(['data early', 'data late', 'complete result']);
    for (const { heard } of late) expect(heard).toEqual(['data late', 'complete result']);
    expect(runs).toBe(1);
  });

  it('submits in the background, and asks how far the job is', async () => {
    const [begin, end] = [gate(), gate()];
    const worker = newWorker({ servers: servers() });
    worker.register('background', async (job) => {
      job.status(3, 10);
      begin.open();
      await end.opened;
    });
    const client = startClient({ servers: servers() });
    const request = { function: 'background', workload: Buffer.from('x'), unique: 'bg' };
    const job = await client.submitBackground(request);
    expect(await client.submitBackground(request)).toEqual(job);
    expect(await client.status(job)).toMatchObject({ isKnown: true, isRunning: false });
    await worker.start();
    await begin.opened;
    const progress = { isKnown: true, isRunning: true, numerator: 3, denominator: 10 };
    await until('the progress is known', async () => (await client.status(job)).numerator === 3);
    expect(await client.status(job)).toMatchObject(progress);
    expect(await client.statusByUnique('bg')).toMatchObject(progress);
    end.open();
    await until('the job has ended', async () => !(await client.status(job)).isKnown);
    expect(await client.statusByUnique('bg')).toMatchObject({ isKnown: false, isRunning: false, clients: 0 });
  });

  it('runs high before normal before low', async () => {
    const order: string[] = [];
    const client = startClient({ servers: servers() });
    const submit = (workload: string, priority?: 'high' | 'low') =>
      client.submitBackground({ function: 'ordered', workload: Buffer.from(workload), priority });
    await Promise.all([
      submit('low', 'low'),
      submit('normal'),
      submit('high', 'high'),
      submit('normal'),
      submit('low', 'low'),
    ]);
    const worker = newWorker({ servers: servers(), concurrency: 1 });
    worker.register('ordered', (job) => void order.push(job.workload.toString()));
    await worker.start();
    await until('all have run', () => order.length === 5);
    expect(order).toEqual(['high', 'normal', 'normal', 'low', 'low']);
  });

  it('runs a job not before its time', async () => {
    const at = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 1_000);
    let ranAt = 0;
    const worker = newWorker({ servers: servers(), pollInterval: 100 });
    worker.register('later', () => void (ranAt = Date.now()));
    await worker.start();
    await startClient({ servers: servers() }).submitBackground({ function: 'later', workload: Buffer.alloc(0), at });
    await until('it has run', () => ranAt > 0);
    expect(ranAt).toBeGreaterThanOrEqual(at.getTime());
  });

  it('hands a reducer to the worker that asks for it', async () => {
    const worker = newWorker({ servers: servers(), reducers: true });
    worker.register(
      'map',
      (job) => `${job.workload.toString()} for ${job.reducer || 'nobody'}, ${job.unique || 'no unique'}`,
    );
    await worker.start();
    const client = startClient({ servers: servers() });
    const workload = Buffer.from('part');
    const reduced = await resultOf(client, { function: 'map', workload, reducer: 'sum', unique: 'u' });
    expect(reduced.toString()).toBe('part for sum, u');
    expect((await resultOf(client, { function: 'map', workload })).toString()).toMatch(/^part for nobody/);
  });

  it('fails a job whose time is over, and aborts its signal', async () => {
    const worker = newWorker({ servers: servers() }).on('error', () => {});
    let reason: unknown;
    worker.register(
      'slow',
      (job) =>
        new Promise((_, reject) => {
          job.signal.addEventListener('abort', () => reject((reason = job.signal.reason)));
        }),
      { timeout: 50 },
    );
    await worker.start();
    const client = startClient({ servers: servers() });
    await expect(resultOf(client, { function: 'slow', workload: Buffer.alloc(0) })).rejects.toMatchObject(
      failure('the job \\S+ of slow took longer than 50 ms'),
    );
    expect(reason).toMatchObject({ code: 'GEARMAN_TIMEOUT' });
  });

  it('refuses what the job server refuses', async () => {
    const client = startClient({ servers: servers() });
    const request = { function: 'reverse', workload: Buffer.from('x'), unique: 'u'.repeat(65) };
    await expect(client.submitBackground(request)).rejects.toMatchObject({ code: 'GEARMAN_SERVER_ERROR' });
    expect((await client.echo('still here')).toString()).toBe('still here');
  });

  it('loses nothing and runs nothing twice while workers are replaced one after the other', async () => {
    const runs = new Map<string, number>();
    const start = async () => {
      const worker = newWorker({ servers: servers(), concurrency: 3 });
      worker.register('rolling', async (job) => {
        const id = job.workload.toString();
        runs.set(id, (runs.get(id) ?? 0) + 1);
        for (let turn = 0; turn < runs.size % 7; turn++) await new Promise((resolve) => setImmediate(resolve));
        return id;
      });
      await worker.start();
      return worker;
    };
    const workers = await Promise.all([start(), start(), start(), start()]);
    const client = startClient({ servers: servers() });
    const total = 2_000;
    let submitted = 0;
    const results = new Set<string>();
    const stream = async () => {
      while (submitted < total) {
        const workload = Buffer.from(`job ${submitted++}`);
        results.add((await resultOf(client, { function: 'rolling', workload })).toString());
      }
    };
    const streams = Promise.all(Array.from({ length: 30 }, stream));
    for (let index = 0; index < 4; index++) {
      const old = workers[index]!;
      const goal = (index + 1) * 300;
      await until(`${goal} jobs have run`, () => results.size >= goal);
      workers[index] = await start();
      await old.close();
      expect(old.runningJobs).toBe(0);
    }
    await streams;
    expect(results.size).toBe(total);
    expect([...runs.values()].filter((count) => count > 1)).toEqual([]);
  });

  it('leaves what does not end in its grace period to another worker, at once', async () => {
    const started = gate();
    const hanging = newWorker({ servers: servers() });
    let reason: unknown;
    hanging.register('handed over', async (job) => {
      started.open();
      await new Promise((resolve) => job.signal.addEventListener('abort', resolve));
      reason = job.signal.reason;
    });
    await hanging.start();
    const result = resultOf(startClient({ servers: servers() }), {
      function: 'handed over',
      workload: Buffer.from('x'),
    });
    await started.opened;
    const other = newWorker({ servers: servers() });
    other.register('handed over', () => 'done by another');
    await other.start();
    await hanging.close({ gracePeriod: 20 });
    expect((await result).toString()).toBe('done by another');
    expect(reason).toMatchObject({ code: 'GEARMAN_CLOSED' });
  });

  it('asks the job server about itself', async () => {
    const [begin, end] = [gate(), gate()];
    const worker = newWorker({ servers: servers(), clientId: 'worker-1', concurrency: 1 });
    worker.register('admin', async () => {
      begin.open();
      await end.opened;
    });
    await worker.start();
    const client = startClient({ servers: servers() });
    const workload = Buffer.from('x');
    const running = await client.submitBackground({ function: 'admin', workload, unique: 'running' });
    await begin.opened;
    const waiting = await client.submitBackground({ function: 'admin', workload, unique: 'waiting', priority: 'high' });

    const admin = new AdminClient({ server: servers() });
    atEnd(() => admin.close());
    const of = <Row extends { function: string }>(rows: Row[]) => rows.find((row) => row.function === 'admin');
    expect(of(await admin.status())).toEqual({ function: 'admin', total: 2, running: 1, workers: 1 });
    expect(of(await admin.priorityStatus())).toEqual({ function: 'admin', high: 1, normal: 0, low: 0, workers: 1 });
    expect((await admin.workers()).find(({ clientId }) => clientId === 'worker-1')?.functions).toEqual(['admin']);
    expect((await admin.jobs()).map(({ handle }) => handle)).toEqual(
      expect.arrayContaining([running.handle, waiting.handle]),
    );
    expect(await admin.uniqueJobs()).toEqual(expect.arrayContaining(['running', 'waiting']));
    expect(await admin.cancelJob(waiting.handle)).toBe(true);
    expect(await admin.cancelJob('H:nowhere:1')).toBe(false);
    await admin.createFunction('created');
    expect((await admin.status()).map((row) => row.function)).toContain('created');
    await admin.limitQueue('created', 1);
    await client.submitBackground({ function: 'created', workload });
    await expect(client.submitBackground({ function: 'created', workload })).rejects.toMatchObject({
      serverCode: 'QUEUE_ERROR',
    });
    await admin.createFunction('dropped');
    await admin.dropFunction('dropped');
    await expect(admin.dropFunction('dropped')).rejects.toMatchObject({ serverText: 'function not found' });
    expect(await admin.version()).toMatch(/^\d+\.\d+/);
    expect(await admin.processId()).toBeGreaterThan(1);
    expect(await admin.logLevel()).toMatch(/^[A-Z]+$/);
    await expect(admin.shutdown()).rejects.toMatchObject({ serverCode: 'UNKNOWN_COMMAND' });
    end.open();
  });
});
