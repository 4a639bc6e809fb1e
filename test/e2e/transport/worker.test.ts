import 'reflect-metadata';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, MessagePattern, Payload } from '@nestjs/microservices';
import { GearmanContext, GearmanFunction, GearmanHealthIndicator, GearmanStrategy, JobWorker } from 'nestjs-gearman';
import { firstValueFrom, interval, lastValueFrom, Observable, toArray } from 'rxjs';
import { atEnd } from '../../support/cleanup.js';
import { describeJobServers, startOurs } from '../../support/job-servers.js';
import { clientOf, serve } from '../../support/nest-app.js';
import { until } from '../../support/until.js';

/** What a handler that waits is told, by its test. */
interface Waiting {
  readonly data: unknown;
  readonly context: GearmanContext;
  finish(value: unknown): void;
}
const waiting: Waiting[] = [];
const seen: unknown[] = [];

@Controller()
class Workshop {
  @MessagePattern('wait')
  wait(@Payload() data: unknown, @Ctx() context: GearmanContext): Promise<unknown> {
    return new Promise((finish) => waiting.push({ data, context, finish }));
  }

  @GearmanFunction('alone', { concurrency: 1 })
  alone(@Payload() data: unknown, @Ctx() context: GearmanContext): Promise<unknown> {
    return this.wait(data, context);
  }

  @MessagePattern('short', { timeout: 50 })
  short(@Payload() data: unknown, @Ctx() context: GearmanContext): Promise<unknown> {
    return this.wait(data, context);
  }

  @MessagePattern('endless', { timeout: 50 })
  endless(): Observable<number> {
    return new Observable((subscriber) => {
      seen.push('started');
      const inner = interval(5).subscribe(subscriber);
      return () => {
        seen.push('stopped');
        inner.unsubscribe();
      };
    });
  }

  @MessagePattern('obeys', { timeout: 50 })
  obeys(@Ctx() context: GearmanContext): Promise<unknown> {
    return new Promise((resolve) => context.signal.addEventListener('abort', () => resolve('as far as I got')));
  }

  @MessagePattern('forgetful')
  forgetful(): string {
    // As Node tells it, in the context of the code that forgot: test/unit/transport/rejection-guard has Node itself.
    process.emit('unhandledRejection', new Error('nobody waited for me'), Promise.resolve());
    return 'done';
  }
}

@Controller()
class Counted {
  @MessagePattern('one')
  one(): number {
    return 1;
  }

  @MessagePattern('two')
  two(): number {
    return 2;
  }
}

/** The waiting handlers that have this data, once there are as many. */
async function held(data: unknown, count = 1): Promise<Waiting[]> {
  const these = (): Waiting[] => waiting.filter((one) => one.data === data);
  await until(`${count} handlers wait with ${String(data)}`, () => these().length >= count);
  return these();
}

describeJobServers('a worker', (servers) => {
  beforeEach(() => {
    waiting.length = 0;
    seen.length = 0;
  });

  it('runs as many jobs at once as it may, and no more', async () => {
    const { strategy, app } = await serve({ servers: servers(), controllers: [Workshop], concurrency: 3 });
    const client = clientOf({ servers: servers() });
    const answers = Array.from({ length: 7 }, () => firstValueFrom(client.send('wait', 'bounded')));
    for (const done of [0, 3, 6]) {
      const now = await held('bounded', Math.min(7, done + 3));
      // What was answered later than a job was assigned is behind it: the worker has had its chance to take more.
      await client.unwrap().echo('');
      expect(strategy.health().runningJobs).toBe(Math.min(3, 7 - done));
      for (const { finish } of now.slice(done)) finish('done');
    }
    await expect(Promise.all(answers)).resolves.toEqual(Array(7).fill('done'));
    await app.close();
  });

  it('runs jobs of a function with its own bound beside the others', async () => {
    const { strategy, app } = await serve({ servers: servers(), controllers: [Workshop], concurrency: 1 });
    const client = clientOf({ servers: servers() });
    const answers = [
      firstValueFrom(client.send('wait', 'shared')),
      firstValueFrom(client.send('alone', 'own')),
      firstValueFrom(client.send('alone', 'own')),
    ];
    const [shared] = await held('shared');
    const [own] = await held('own');
    expect(strategy.health().runningJobs).toBe(2);
    own!.finish(1);
    const [, next] = await held('own', 2);
    next!.finish(2);
    shared!.finish(3);
    await expect(Promise.all(answers)).resolves.toEqual([3, expect.any(Number), expect.any(Number)]);
    await app.close();
  });

  describe('whose job takes too long', () => {
    it('fails it, and tells its handler', async () => {
      const { app } = await serve({ servers: servers(), controllers: [Workshop] });
      const client = clientOf({ servers: servers() });
      const answer = firstValueFrom(client.send('short', 'timed out'));
      await expect(answer).rejects.toMatchObject({ code: 'GEARMAN_JOB_FAILED' });
      const [job] = await held('timed out');
      expect(job!.context.signal.aborted).toBe(true);
      expect(job!.context.signal.reason).toMatchObject({ code: 'GEARMAN_TIMEOUT' });
      job!.finish('too late, and dropped');
      await app.close();
    });

    it('stops listening to its stream, and says why', async () => {
      const { app } = await serve({ servers: servers(), controllers: [Workshop] });
      const client = clientOf({ servers: servers() });
      await expect(lastValueFrom(client.send('endless', 0).pipe(toArray()))).rejects.toMatchObject({
        status: 'error',
        code: 'GEARMAN_TIMEOUT',
        message: expect.stringMatching(/took longer than 50 ms/),
      });
      await until('the stream is stopped', () => seen.length === 2);
      expect(seen).toEqual(['started', 'stopped']);
      await app.close();
    });

    it('lets its handler have the last word', async () => {
      const { app } = await serve({ servers: servers(), controllers: [Workshop] });
      const client = clientOf({ servers: servers() });
      await expect(firstValueFrom(client.send('obeys', 0))).resolves.toBe('as far as I got');
      await app.close();
    });
  });

  describe('that closes', () => {
    it('lets running handlers finish, and takes no more', async () => {
      const first = await serve({ servers: servers(), controllers: [Workshop] });
      const client = clientOf({ servers: servers() });
      const answer = firstValueFrom(client.send('wait', 'before'));
      const [before] = await held('before');
      let isClosed = false;
      const closed = first.app.close().then(() => (isClosed = true));
      const later = firstValueFrom(client.send('wait', 'after'));
      const second = await serve({ servers: servers(), controllers: [Workshop] });
      const [after] = await held('after');
      after!.finish('by the second');
      await expect(later).resolves.toBe('by the second');
      expect(isClosed).toBe(false);
      expect(before!.context.signal.aborted).toBe(false);
      before!.finish('by the first');
      await expect(answer).resolves.toBe('by the first');
      await closed;
      await second.app.close();
    });

    it('leaves to others what its grace period is too short for', async () => {
      const first = await serve({ servers: servers(), controllers: [Workshop], gracePeriod: 20 });
      const client = clientOf({ servers: servers() });
      const answer = firstValueFrom(client.send('wait', 'abandoned'));
      const [abandoned] = await held('abandoned');
      await first.app.close();
      expect(abandoned!.context.signal.reason).toMatchObject({ code: 'GEARMAN_CLOSED' });
      const second = await serve({ servers: servers(), controllers: [Workshop] });
      const [, again] = await held('abandoned', 2);
      abandoned!.finish('by nobody');
      again!.finish('by the second');
      await expect(answer).resolves.toBe('by the second');
      expect(again!.context.handle).toBe(abandoned!.context.handle);
      await second.app.close();
    });
  });

  it('survives a handler that forgets a promise, and logs it', async () => {
    const { app, log } = await serve({ servers: servers(), controllers: [Workshop] });
    const client = clientOf({ servers: servers() });
    await expect(firstValueFrom(client.send('forgetful', 0))).resolves.toBe('done');
    expect(log.of('error')).toEqual([
      'A handler of function "forgetful" forgot a promise that was rejected: nobody waited for me',
    ]);
    await app.close();
  });
});

describe('a strategy', () => {
  const nowhere = (name: string) => ({
    name,
    connect: () => {
      throw new Error('nobody there');
    },
  });

  it('calls back with an error that names every job server where none is reached, and tries no further', async () => {
    const attempts = jest.fn();
    const server = { ...nowhere('one'), connect: () => (attempts(), nowhere('one').connect()) };
    const strategy = new GearmanStrategy({ servers: [server, nowhere('two')], connectTimeout: 30 });
    strategy.addHandler('f', async () => 'done');
    const error = await new Promise((resolve) => strategy.listen(resolve));
    expect(error).toMatchObject({ code: 'GEARMAN_NO_SERVER', message: expect.stringMatching(/one \(.*two \(/) });
    const made = attempts.mock.calls.length;
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(attempts.mock.calls.length).toBe(made);
  });

  it('refuses at once an option that cannot be', () => {
    expect(() => new GearmanStrategy({ concurrency: 0 })).toThrow(/concurrency/);
    expect(() => new GearmanStrategy({ servers: 'http://jobs' })).toThrow(/servers/);
    expect(() => new GearmanStrategy({ grace: 5 } as object)).toThrow(
      /grace: is no option; did you mean gracePeriod\?/,
    );
  });

  it('tells its status, its health, and its worker', async () => {
    const server = await startOurs();
    const { strategy, app } = await serve({ servers: server, controllers: [Counted] });
    const statuses: string[] = [];
    strategy.status.subscribe((status) => statuses.push(status));
    const indicator = new GearmanHealthIndicator(strategy);
    await expect(indicator.check()).resolves.toEqual({
      gearman: { status: 'up', servers: ['embedded'], away: [], functions: 2, runningJobs: 0 },
    });
    expect(strategy.unwrap()).toBeInstanceOf(JobWorker);
    expect(app.unwrap()).toBe(strategy.unwrap());
    await app.close();
    await expect(indicator.check()).resolves.toMatchObject({ gearman: { status: 'down' } });
    expect(statuses).toEqual(['connected', 'disconnected']);
  });

  it('may listen again after it was closed', async () => {
    const server = await startOurs();
    const strategy = new GearmanStrategy({ servers: server });
    atEnd(() => strategy.close());
    strategy.addHandler('again', async () => 'served');
    for (let time = 0; time < 2; time++) {
      await expect(new Promise((resolve) => strategy.listen(resolve))).resolves.toBeUndefined();
      await expect(firstValueFrom(clientOf({ servers: server }).send('again', 0))).resolves.toBe('served');
      await strategy.close();
    }
  });

  it('is quiet, and says at debug what it serves', async () => {
    const { app, log } = await serve({ servers: await startOurs(), controllers: [Workshop] });
    await app.close();
    expect(log.of('warn', 'error', 'fatal')).toEqual([]);
    expect(log.of('debug')).toEqual(expect.arrayContaining([expect.stringMatching(/^Serving wait, alone, short,/)]));
  });

  it('warns where an application has no handlers', async () => {
    const { app, log } = await serve({ servers: await startOurs(), controllers: [] });
    expect(log.of('warn')).toEqual([expect.stringMatching(/No handlers/)]);
    await app.close();
  });
});
