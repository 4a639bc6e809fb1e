import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { firstValueFrom } from 'rxjs';
import { JobClient, JobWorker, type AssignedJob, type JobObserver, type Submission } from 'nestjs-gearman';
import { JobServer, MemoryStorage, type JobServerOptions } from 'nestjs-gearman/job-server';
import { TestJobServer } from 'nestjs-gearman/testing';
import { coreOf } from '../../../lib/job-server/core-of.js';
import { atEnd } from '../../support/cleanup.js';
import { startGearmand } from '../../support/gearmand.js';
import { describeWith } from '../../support/peers.js';
import { until } from '../../support/until.js';
import { runs } from '../../support/runs.js';

async function start(options: JobServerOptions = {}): Promise<JobServer> {
  const server = new JobServer({ listeners: [], ...options });
  await server.start();
  atEnd(() => server.stop());
  return server;
}

function clientOf(...servers: JobServer[]): JobClient {
  const client = new JobClient({
    servers: servers.map((server, index) => ({ name: `s${index}`, connect: () => server.connect() })),
  });
  atEnd(() => client.close());
  return client;
}

const DEAF: JobObserver = { complete: () => undefined, fail: () => undefined };
const request = (unique?: string) => ({ function: 'f', workload: Buffer.from('x'), unique });

/** A worker of f whose jobs the test ends. */
async function holdingWorker(server: JobServer, concurrency = 10) {
  const held: { job: AssignedJob; end(result: string | Error): void }[] = [];
  const worker = new JobWorker({ servers: { name: 's', connect: () => server.connect() }, concurrency });
  atEnd(() => worker.close({ gracePeriod: 0 }));
  worker.on('error', () => undefined);
  worker.register('f', (job) => {
    // Whoever looks at a signal later finds it aborted all the same; this one listens from the start.
    void job.signal;
    return new Promise((resolve, reject) => {
      held.push({ job, end: (result) => (result instanceof Error ? reject(result) : resolve(result)) });
    });
  });
  await worker.start();
  return { held, worker };
}

const jobsOf = (jobServer: JobServer): number => coreOf(jobServer).engine.jobCount;

describe('callers who give up', () => {
  it.each([
    ['of a job that waits', undefined],
    ['where a storage keeps background jobs', () => new MemoryStorage()],
  ])('take what nobody else waits for with them: %s', async (_, storage) => {
    const server = await start({ storage: storage?.() });
    const client = clientOf(server);
    const submissions = Array.from({ length: 50 }, (_, index) => client.submit(request(`u${index % 25}`), DEAF));
    await until('all are there', () => submissions.every(({ job }) => job !== undefined));
    await client.submitBackground(request('u0'));
    for (const submission of submissions.slice(0, 26)) submission.forget();
    await until('only what is wanted is left', () => jobsOf(server) === 25);
    for (const submission of submissions.slice(26)) submission.forget();
    await until('what is in the background is left', () => jobsOf(server) === 1);
  });

  it('tell the handler that runs for them, and it decides', async () => {
    const server = await start();
    const client = clientOf(server);
    const { held } = await holdingWorker(server);
    const submission = client.submit(request(), DEAF);
    await until('it runs', () => held.length === 1);
    expect(held[0]!.job.signal.aborted).toBe(false);
    submission.forget();
    await until('its handler knows', () => held[0]!.job.signal.aborted);
    expect(held[0]!.job.signal.reason).toMatchObject({ code: 'GEARMAN_JOB_ABANDONED' });
    expect(jobsOf(server)).toBe(1);
    held[0]!.end('done all the same');
    await until('it is over', () => jobsOf(server) === 0);
  });

  it('are told of to the handler when their connection is gone', async () => {
    const server = await start();
    const client = clientOf(server);
    const { held } = await holdingWorker(server);
    client.submit(request(), DEAF);
    await until('it runs', () => held.length === 1);
    await client.close();
    await until('its handler knows', () => held[0]!.job.signal.aborted);
  });

  it('harm nobody who joined the job they gave up: it runs again for them', async () => {
    const server = await start();
    const [one, other] = [clientOf(server), clientOf(server)];
    const { held } = await holdingWorker(server);
    const submission = one.submit(request('u'), DEAF);
    await until('it runs', () => held.length === 1);
    submission.forget();
    await until('its handler knows', () => held[0]!.job.signal.aborted);
    const result = new Promise<string>((resolve, reject) =>
      other.submit(request('u'), { complete: (bytes) => resolve(bytes.toString()), fail: reject }),
    );
    await other.echo('it has joined');
    held[0]!.end(held[0]!.job.signal.reason as Error);
    await until('it runs again', () => held.length === 2);
    held[1]!.end('for you');
    expect(await result).toBe('for you');
  });

  it('take it back from the job server that has it now, not from the one that was lost', async () => {
    const [first, second] = [await start(), await start()];
    const client = clientOf(first, second);
    await client.connect();
    const submission = client.submit(request('u'), DEAF);
    await until('the first has it', () => jobsOf(first) === 1);
    await first.stop();
    await until('the second has it', () => jobsOf(second) === 1);
    submission.forget();
    await until('nobody has it', () => jobsOf(second) === 0);
  });

  it.each([
    [
      'times out',
      (client: ReturnType<TestJobServer['client']>) => firstValueFrom(client.send('f', 1)).catch(() => undefined),
    ],
    [
      'is unsubscribed',
      async (client: ReturnType<TestJobServer['client']>, accepted: () => Promise<void>) => {
        const subscription = client.send('f', 1).subscribe();
        await accepted();
        subscription.unsubscribe();
      },
    ],
    ['is forgotten', async (client: ReturnType<TestJobServer['client']>) => (await client.submit('f', 1)).forget()],
  ])('are a GearmanClient’s whose call %s', async (how, giveUp) => {
    const server = new TestJobServer();
    const client = server.client({ timeout: how === 'times out' ? 20 : 60_000 });
    const jobs = (): number => server.functions().find(({ name }) => name === 'f')?.total ?? 0;
    const submitted = new Promise<void>((resolve) => server.once('submitted', () => resolve()));
    await giveUp(client, () => submitted);
    await submitted;
    await until('the job is gone', () => jobs() === 0);
  });

  it('leave everything as it was with `withdraw: false`', async () => {
    const server = new TestJobServer();
    const client = server.client({ timeout: 20, withdraw: false });
    await expect(firstValueFrom(client.send('f', 1))).rejects.toMatchObject({ code: 'GEARMAN_TIMEOUT' });
    await client.unwrap<JobClient>().echo('everything said is heard');
    expect(server.functions()).toMatchObject([{ name: 'f', total: 1 }]);
  });
});

describe('random callers of two clients, who come, join, give up and are answered', () => {
  interface Caller {
    readonly submission: Submission;
    ends: number;
    isForgotten: boolean;
  }
  const step = fc.record({
    do: fc.constantFrom('submit', 'submit', 'forget', 'forget', 'end', 'fail', 'settle'),
    which: fc.nat({ max: 100 }),
    unique: fc.constantFrom('', 'u', 'u', 'v'),
  });

  it('hear of one end each, unless they gave up, and nothing is left', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 5, maxLength: 60 }),
        fc.integer({ min: 1, max: 3 }),
        async (steps, slots) => {
          const server = await start();
          const clients = [clientOf(server), clientOf(server)];
          const { held, worker } = await holdingWorker(server, slots);
          const callers: Caller[] = [];
          for (const { do: what, which, unique } of steps) {
            if (what === 'submit') {
              const caller: Caller = { submission: undefined as never, ends: 0, isForgotten: false };
              const end = (): void => void caller.ends++;
              const submission = clients[which % 2]!.submit(request(unique), { complete: end, fail: end });
              callers.push(Object.assign(caller, { submission }));
            } else if (what === 'forget' && callers.length > 0) {
              const caller = callers[which % callers.length]!;
              if (caller.ends === 0) caller.isForgotten = true;
              caller.submission.forget();
            } else if (what === 'settle') {
              await clients[which % 2]!.echo('');
            } else if (held.length > 0) {
              const [run] = held.splice(which % held.length, 1);
              run!.end(what === 'end' ? 'done' : new Error('failed'));
            }
          }
          const isOver = (): boolean => callers.every(({ ends, isForgotten }) => isForgotten || ends === 1);
          await until('everybody else is answered, and nothing is left', () => {
            for (const run of held.splice(0)) run.end('done');
            return isOver() && jobsOf(server) === 0;
          });
          expect(callers.filter(({ ends, isForgotten }) => ends !== (isForgotten ? 0 : 1))).toEqual([]);
          await Promise.all([...clients.map((client) => client.close()), worker.close({ gracePeriod: 0 })]);
          await server.stop();
        },
      ),
      runs(20),
    );
  });
});

describeWith('gearmand', 'callers who give up at gearmand', () => {
  it('leave their jobs to it, as ever', async () => {
    const { port } = await startGearmand();
    const client = new JobClient({ servers: `127.0.0.1:${port}` });
    atEnd(() => client.close());
    const submission = client.submit(request('u'), DEAF);
    await until('it is accepted', () => submission.job !== undefined);
    submission.forget();
    expect(await client.statusByUnique('u')).toMatchObject({ isKnown: true });
  });
});
