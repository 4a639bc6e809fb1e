import 'reflect-metadata';
import { beforeAll, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload, RpcException } from '@nestjs/microservices';
import {
  GearmanContext,
  GearmanRecord,
  GearmanRecordBuilder,
  JobWorker,
  WorkException,
  type GearmanClient,
  type GearmanRecordOptions,
} from 'nestjs-gearman';
import { concat, defer, firstValueFrom, from, lastValueFrom, timer, toArray, type Observable } from 'rxjs';
import { atEnd } from '../../support/cleanup.js';
import { describeJobServers } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { until } from '../../support/until.js';

/** What handlers have run, in order. */
const runs: unknown[] = [];

/** A gate handlers wait at until a test opens it. */
function gate(): { opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}
let held = gate();

@Controller()
class Slow {
  @MessagePattern('build')
  async build(@Payload() steps: number, @Ctx() context: GearmanContext): Promise<string> {
    context.data('started');
    for (let step = 1; step <= steps; step++) context.progress(step, steps);
    context.warning('nearly there');
    await held.opened;
    return 'built';
  }

  @MessagePattern('breaks')
  async breaks(): Promise<never> {
    await held.opened;
    throw new RpcException('broken');
  }

  @MessagePattern('shared')
  shared(@Payload() values: unknown[]): Observable<unknown> {
    runs.push(values);
    return concat(
      defer(() => held.opened.then(() => 'first')),
      timer(2).pipe(() => from(values)),
    );
  }
}

@Controller()
class Queue {
  @MessagePattern('queued')
  queued(@Payload() data: unknown): void {
    runs.push(data);
  }
}

describeJobServers('a submitted job', (servers) => {
  let client: GearmanClient;

  beforeAll(async () => {
    await serve({ servers: servers(), controllers: [Slow] });
    client = clientOf({ servers: servers() });
  });

  it('tells its identity, its progress and its result', async () => {
    held = gate();
    const job = await client.submit<string>('build', 3);
    expect(job.handle).toMatch(/^H:/);
    // The worker is ahead of us: what it said before we listened is kept.
    await until('the worker has reported', async () => (await job.status()).numerator === 3);
    const updates = lastValueFrom(job.updates$.pipe(toArray()));
    await expect(job.status()).resolves.toMatchObject({ isKnown: true, isRunning: true, denominator: 3 });
    held.open();
    await expect(job.result()).resolves.toBe('built');
    await expect(job.result()).resolves.toBe('built');
    await expect(updates).resolves.toEqual([
      { kind: 'data', value: 'started' },
      { kind: 'progress', numerator: 1, denominator: 3 },
      { kind: 'progress', numerator: 2, denominator: 3 },
      { kind: 'progress', numerator: 3, denominator: 3 },
      { kind: 'warning', message: 'nearly there' },
    ]);
    await expect(job.status()).resolves.toMatchObject({ isKnown: false, isRunning: false });
  });

  it('tells later listeners what comes from then on, and ends for them too', async () => {
    held = gate();
    const job = await client.submit<string>('build', 1);
    const [early, late]: unknown[][] = [[], []];
    job.updates$.subscribe((update) => early!.push(update));
    await until('the worker has reported', () => early!.length === 3);
    const lateEnd = new Promise<void>((complete) =>
      job.updates$.subscribe({ next: (update) => late!.push(update), complete }),
    );
    held.open();
    await lateEnd;
    expect(late).toEqual([]);
  });

  it('rejects its result as `send` does, whenever it is asked, and completes its updates', async () => {
    held = gate();
    const job = await client.submit('breaks', 0);
    const updates = lastValueFrom(job.updates$.pipe(toArray()));
    held.open();
    await expect(updates).resolves.toEqual([]);
    await expect(job.result()).rejects.toEqual({ status: 'error', message: 'broken' });
    await expect(job.result()).rejects.toEqual({ status: 'error', message: 'broken' });
  });

  it('whose failure nobody asks for harms nobody', async () => {
    const unhandled: unknown[] = [];
    const hear = (reason: unknown): void => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    atEnd(() => void process.off('unhandledRejection', hear));
    held = gate();
    const job = await client.submit('breaks', 0);
    held.open();
    await until('the job has failed', async () => !(await job.status()).isKnown);
    await new Promise(setImmediate);
    process.off('unhandledRejection', hear);
    expect(unhandled).toEqual([]);
  });

  it('can be asked for by its identity, and by its unique', async () => {
    held = gate();
    const { handle, server } = await client.submit('build', new GearmanRecord(5, { unique: 'build-5' }));
    const other = clientOf({ servers: servers() });
    await until('it runs', async () => (await other.statusOf({ handle, server })).isRunning);
    await expect(other.statusByUnique('build-5')).resolves.toMatchObject({
      isKnown: true,
      isRunning: true,
      clients: 1,
    });
    await expect(other.statusByUnique('build-6')).resolves.toMatchObject({ isKnown: false });
    await expect(other.statusOf({ handle, server: 'elsewhere' })).rejects.toMatchObject({
      code: 'GEARMAN_INVALID_OPTION',
    });
    await expect(other.statusOf(handle)).resolves.toMatchObject({ isRunning: true });
    const fleet = clientOf({ servers: [servers(), 'tcp://127.0.0.1:1'] });
    await expect(fleet.statusOf(handle)).rejects.toMatchObject({ code: 'GEARMAN_INVALID_OPTION', option: 'job' });
    held.open();
  });
});

describeJobServers('callers with one unique', (servers) => {
  const values = ['a', 1, null, 'z'];

  it.each([
    ['one connection', 1],
    ['connections of their own', 5],
  ])('have one run, and each hears every value once, on %s', async (_, connections) => {
    await serve({ servers: servers(), controllers: [Slow] });
    const clients = Array.from({ length: connections }, () => clientOf({ servers: servers() }));
    runs.length = 0;
    held = gate();
    const record = new GearmanRecordBuilder(values).setUnique(`shared-${connections}`).build();
    const answers = Array.from({ length: 50 }, (_, index) =>
      lastValueFrom(clients[index % connections]!.send('shared', record).pipe(toArray())),
    );
    // Asked behind them on each connection: when this is answered, all of them wait.
    await Promise.all(clients.map((client) => client.statusByUnique(`shared-${connections}`)));
    held.open();
    for (const answer of await Promise.all(answers)) expect(answer).toEqual(['first', ...values]);
    expect(runs).toEqual([values]);
  });
});

describeJobServers('jobs that wait for a worker', (servers) => {
  it('go by priority', async () => {
    const client = clientOf({ servers: servers() });
    const emit = (data: string, options: GearmanRecordOptions = {}): Promise<unknown> =>
      firstValueFrom(client.emit('queued', new GearmanRecord(data, options)));
    await emit('low', { priority: 'low' });
    await emit('normal');
    await emit('high', { priority: 'high' });
    await emit('normal again');
    runs.length = 0;
    await serve({ servers: servers(), controllers: [Queue], concurrency: 1 });
    await until('all have run', () => runs.length === 4);
    expect(runs).toEqual(['high', 'normal', 'normal again', 'low']);
  });
});

describeJobServers('a caller', (servers) => {
  it('waits no longer than its timeout, and learns for what and where', async () => {
    const client = clientOf({ servers: servers(), timeout: 40 });
    const waiting = firstValueFrom(client.send('nobody-serves-this', 0));
    await expect(waiting).rejects.toMatchObject({
      code: 'GEARMAN_TIMEOUT',
      functionName: 'nobody-serves-this',
      timeout: 40,
      job: { handle: expect.stringMatching(/^H:/), server: expect.any(String) },
      message: expect.stringMatching(/^function "nobody-serves-this" said nothing for 40 ms .* job H:/),
    });
    const record = new GearmanRecord(0, { timeout: 30 });
    await expect((await client.submit('nobody-serves-this', record)).result()).rejects.toMatchObject({
      code: 'GEARMAN_TIMEOUT',
      timeout: 30,
    });
  });

  it('learns of a failure without a word, and of one in words of another language', async () => {
    const worker = new JobWorker({ servers: servers() });
    atEnd(() => worker.close());
    // Told here, the failure that the test provokes is not a warning of the process.
    const failures: Error[] = [];
    worker.on('error', (error) => failures.push(error));
    worker.register('fails', () => {
      throw new Error('told where it can be');
    });
    worker.register('throws', () => {
      throw new WorkException('boom at line 3');
    });
    await worker.start();
    const client = clientOf({ servers: servers() });
    await expect(firstValueFrom(client.send('fails', 0))).rejects.toMatchObject({
      code: typeof servers() === 'string' ? 'GEARMAN_JOB_FAILED' : 'GEARMAN_JOB_EXCEPTION',
      functionName: 'fails',
      handle: expect.stringMatching(/^H:/),
    });
    await expect(firstValueFrom(client.send('throws', 0))).rejects.toMatchObject({
      code: 'GEARMAN_JOB_EXCEPTION',
      message: expect.stringContaining('boom at line 3'),
      bytes: Buffer.from('boom at line 3'),
    });
    expect(failures.map(String)).toContainEqual(expect.stringContaining('told where it can be'));
  });

  it('fails when its client closes, and the client may be used again', async () => {
    const client = clientOf({ servers: servers() });
    const waiting = firstValueFrom(client.send('nobody-serves-this', 0));
    const job = await client.submit('nobody-serves-this', 0);
    const result = job.result();
    const outcomes = Promise.allSettled([waiting, result]);
    await client.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'GEARMAN_CLOSED' } });
    }
    await expect(firstValueFrom(client.emit('nobody-serves-this', 0))).resolves.toHaveProperty('handle');
  });
});
