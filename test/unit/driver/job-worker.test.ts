import { describe, expect, it, jest } from '@jest/globals';
import { WorkException, type AssignedJob, type JobHandler } from '../../../lib/driver/index.js';
import { settled, turnsUntil } from '../../support/turns.js';
import { REFUSED, echo, held, pulling, said, workerOf } from './workers.js';

describe('a worker registers', () => {
  it('its functions, with its id, before it asks for jobs', async () => {
    const { worker, server } = workerOf(['a'], { clientId: 'w1' });
    worker.register('reverse', echo);
    worker.register('größe', echo, { timeout: 1_500 });
    const starting = worker.start();
    const { packets } = await server.welcome(REFUSED);
    expect(packets).toEqual([
      'SET_CLIENT_ID w1',
      'OPTION_REQ clean-exceptions',
      'OPTION_REQ attempts',
      'OPTION_REQ withdrawals',
      'OPTION_REQ metadata',
      'CAN_DO reverse',
      'CAN_DO_TIMEOUT gr\xc3\xb6\xc3\x9fe·2500',
      'ALL_YOURS',
    ]);
    await starting;
    expect(worker.connectedServers).toEqual(['a']);
  });

  it('a function with a concurrency of its own over a connection of its own', async () => {
    const { worker, server } = workerOf(['a'], { push: false });
    worker.register('fast', echo);
    worker.register('slow', echo, { concurrency: 1 });
    const starting = worker.start();
    const both = [await server.welcome(), await server.welcome()];
    expect(both.map(({ packets }) => packets).sort()).toEqual([
      [
        'OPTION_REQ clean-exceptions',
        'OPTION_REQ attempts',
        'OPTION_REQ withdrawals',
        'OPTION_REQ metadata',
        'CAN_DO fast',
      ],
      [
        'OPTION_REQ clean-exceptions',
        'OPTION_REQ attempts',
        'OPTION_REQ withdrawals',
        'OPTION_REQ metadata',
        'CAN_DO slow',
      ],
    ]);
    await starting;
  });

  it('a function that comes later, and looks for jobs that waited for it', async () => {
    const { worker, peer } = await pulling(echo);
    expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
    peer.send('NO_JOB');
    expect(await peer.next()).toBe('PRE_SLEEP');
    worker.register('later', echo);
    expect(await said(peer)).toEqual(['CAN_DO later', 'GRAB_JOB_UNIQ']);
  });

  it('again after the connection was lost', async () => {
    const { server, peer } = await pulling(echo);
    peer.destroy();
    expect((await server.welcome()).packets).toEqual([
      'OPTION_REQ clean-exceptions',
      'OPTION_REQ attempts',
      'OPTION_REQ withdrawals',
      'OPTION_REQ metadata',
      'CAN_DO reverse',
    ]);
  });

  it.each([
    ['', echo, {}, "function: must be a text, not empty, without NUL, not ''"],
    ['a\0b', echo, {}, 'function: must be a text'],
    ['f', 'code' as unknown as JobHandler, {}, 'f: handler: must be a function'],
    ['f', echo, { timeout: 0 }, 'f: timeout: must be a whole number of milliseconds from 1'],
    ['f', echo, { concurrency: 0 }, 'f: concurrency: must be a whole number of jobs from 1, not 0'],
    ['reverse', echo, {}, 'function: must not be registered twice: reverse is served already'],
  ] as const)('nothing that cannot be: %#', (name, handler, options, message) => {
    const { worker } = workerOf(['a']);
    worker.register('reverse', echo);
    expect(() => worker.register(name, handler, options)).toThrow(message);
  });
});

describe('a job', () => {
  it.each([
    ['JOB_ASSIGN H:1·reverse·a·b', ''],
    ['JOB_ASSIGN_UNIQ H:1·reverse·u·a·b', 'u'],
  ])('comes with %s', async (assignment, unique) => {
    const jobs: AssignedJob[] = [];
    const { peer } = await pulling((job) => void jobs.push(job));
    await peer.next();
    peer.send(assignment);
    expect(await peer.next()).toBe('WORK_COMPLETE H:1·');
    expect(jobs[0]).toMatchObject({ function: 'reverse', handle: 'H:1', unique, server: 'a' });
    expect(jobs[0]!.workload.toString()).toBe('a\0b');
  });

  it('comes with its reducer where the worker asks for that', async () => {
    const jobs: AssignedJob[] = [];
    const { peer } = await pulling((job) => void jobs.push(job), { reducers: true });
    expect(await peer.next()).toBe('GRAB_JOB_ALL');
    peer.send('JOB_ASSIGN_ALL H:1·reverse·u·sum·a');
    await peer.next();
    expect(jobs[0]).toMatchObject({ reducer: 'sum', unique: 'u' });
  });

  it.each([
    ['text', 'größe', 'gr\xc3\xb6\xc3\x9fe'],
    ['long text', 'ü'.repeat(300), '\xc3\xbc'.repeat(300)],
    ['bytes', Buffer.from([1, 0, 255]), '\x01·\xff'],
    ['nothing', undefined, ''],
  ])('may result in %s', async (_, result, bytes) => {
    const { peer } = await pulling(() => result);
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await peer.next()).toBe(`WORK_COMPLETE H:1·${bytes}`);
  });

  it('reports data, warnings and progress, and nothing after its end', async () => {
    const { peer } = await pulling((job) => {
      job.data('a');
      job.warning(Buffer.from('b'));
      job.status(1, 2);
      setImmediate(() => job.data('too late'));
      return 'done';
    });
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    const packets = ['WORK_DATA H:1·a', 'WORK_WARNING H:1·b', 'WORK_STATUS H:1·1·2', 'WORK_COMPLETE H:1·done'];
    expect(await said(peer)).toEqual([...packets, 'GRAB_JOB_UNIQ']);
  });

  it.each([
    ['an Error', () => Promise.reject(new Error('secret')), 'WORK_FAIL H:1'],
    [
      'an Error at once',
      () => {
        throw new Error('secret');
      },
      'WORK_FAIL H:1',
    ],
    ['nothing', () => Promise.reject(undefined as unknown as Error), 'WORK_FAIL H:1'],
  ])('whose handler throws %s ends once', async (_, handler, end) => {
    const { peer } = await pulling(handler);
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await said(peer)).toEqual([end, 'GRAB_JOB_UNIQ']);
  });

  it.each([
    ['whose handler throws', () => Promise.reject(new Error('secret')), 'secret'],
    ['whose handler throws no Error', () => Promise.reject('secret' as unknown as Error), 'secret'],
    ['with a result that is none', () => ({}) as string, 'result: must be a text, a Uint8Array or nothing, not {}'],
  ])('%s fails, and the error tells why', async (_, handler, problem) => {
    const { worker, peer } = await pulling(handler);
    const errors: unknown[] = [];
    worker.on('error', (error) => errors.push(error));
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await peer.next()).toBe('WORK_FAIL H:1');
    const message = `the handler of reverse failed the job H:1: ${problem}`;
    expect(errors).toEqual([expect.objectContaining({ code: 'GEARMAN_HANDLER_FAILED', message })]);
  });

  it('can wait until what it sent has left', async () => {
    const steps: string[] = [];
    const { peer } = await pulling(async (job) => {
      await job.drained();
      for (let part = 0; part < 3; part++) {
        job.data(Buffer.alloc(100_000));
        await job.drained();
        steps.push('drained');
      }
    });
    await peer.next();
    peer.stream.pause();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await settled();
    expect(steps).toEqual([]);
    peer.stream.resume();
    await turnsUntil('all has left', () => steps.length === 3);
  });

  it('that waits until what it sent has left goes on when the connection is lost', async () => {
    let isOver = false;
    const { peer } = await pulling(async (job) => {
      job.data(Buffer.alloc(100_000));
      await job.drained();
      isOver = job.signal.aborted;
    });
    await peer.next();
    peer.stream.pause();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await settled();
    peer.destroy();
    await turnsUntil('it is over', () => isOver);
  });

  it('with a result larger than a packet may be fails, and the error says so', async () => {
    const { worker, peer } = await pulling(() => 'x'.repeat(2_000), { maxPacketBytes: 1_024 });
    const errors: string[] = [];
    worker.on('error', (error) => errors.push(error.message));
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    expect(await peer.next()).toBe('WORK_FAIL H:1');
    expect(errors).toEqual([expect.stringContaining('a result of 2016 bytes from reverse passes it (1024)')]);
  });

  it('of a function that was never registered fails', async () => {
    const { worker, peer } = await pulling(echo);
    const errors: string[] = [];
    worker.on('error', (error) => errors.push(error.message));
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·other··');
    expect(await said(peer)).toEqual(['WORK_FAIL H:1', 'GRAB_JOB_UNIQ']);
    expect(errors).toEqual(['the job server a assigned a job of other, which was not registered']);
  });
});

describe('a job with a timeout', () => {
  async function timed(handler: JobHandler) {
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const { worker, server } = workerOf(['a'], { push: false, concurrency: 1, pollInterval: 0 });
    worker.register('reverse', handler, { timeout: 100 });
    const starting = worker.start();
    const { peer } = await server.welcome();
    await starting;
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await settled();
    return { worker, peer };
  }

  it('that passes: its signal aborts, it fails, and its slot is free when the handler ends', async () => {
    const { jobs, handler } = held();
    const { peer } = await timed(handler);
    const { signal } = jobs[0]!.job;
    jest.advanceTimersByTime(99);
    expect(signal.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    expect(signal.reason).toMatchObject({ code: 'GEARMAN_TIMEOUT' });
    expect(await peer.next()).toBe('WORK_FAIL H:1');
    jobs[0]!.finish('too late');
    expect(await peer.next()).toBe('GRAB_JOB_UNIQ');
  });

  it('may end with its own words when its signal aborts', async () => {
    const { peer } = await timed(
      (job) =>
        new Promise((_, reject) => job.signal.addEventListener('abort', () => reject(new WorkException('late')))),
    );
    jest.advanceTimersByTime(100);
    expect(await peer.nextOnes(2)).toEqual(['WORK_WARNING H:1·WORK_EXCEPTION: late', 'WORK_FAIL H:1']);
  });

  it('that ends in time leaves no timer', async () => {
    const { jobs, handler } = held();
    const { worker, peer } = await timed(handler);
    jobs[0]!.finish('in time');
    expect(await peer.nextOnes(2)).toEqual(['WORK_COMPLETE H:1·in time', 'GRAB_JOB_UNIQ']);
    const closing = worker.close();
    peer.send('NO_JOB');
    expect(await peer.next()).toBe('ECHO_REQ ·nestjs-gearman farewell');
    peer.send('ECHO_RES ·nestjs-gearman farewell');
    await closing;
    expect(jest.getTimerCount()).toBe(0);
  });
});

describe('when the connection is lost', () => {
  it('the signals of its jobs abort, their results are dropped, and they hold their slots until they end', async () => {
    const { jobs, handler } = held();
    const { worker, server, peer } = await pulling(handler, { concurrency: 1 });
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await turnsUntil('it runs', () => jobs.length === 1);
    expect(jobs[0]!.job.signal.aborted).toBe(false);
    peer.destroy();
    const again = await server.welcome();
    await turnsUntil('it is connected again', () => worker.connectedServers.length === 1);
    expect(jobs[0]!.job.signal.reason).toMatchObject({ code: 'GEARMAN_CONNECTION_LOST', server: 'a' });
    expect(await said(again.peer)).toEqual([]);
    jobs[0]!.job.data('nobody hears this');
    jobs[0]!.finish('nor this');
    expect(await said(again.peer)).toEqual(['GRAB_JOB_UNIQ']);
  });

  it('also a signal that is looked at only then has aborted', async () => {
    const { jobs, handler } = held();
    const { worker, peer } = await pulling(handler);
    await peer.next();
    peer.send('JOB_ASSIGN_UNIQ H:1·reverse··');
    await turnsUntil('it runs', () => jobs.length === 1);
    peer.destroy();
    await turnsUntil('it is lost', () => worker.connectedServers.length === 0);
    expect(jobs[0]!.job.signal.aborted).toBe(true);
    jobs[0]!.finish();
  });
});

describe('starting', () => {
  it('fails after connectTimeout with an error that names every job server', async () => {
    const { worker, servers } = workerOf(['a', 'b'], { connectTimeout: 5 });
    for (const server of servers) server.isDown = true;
    worker.register('reverse', echo);
    await expect(worker.start()).rejects.toMatchObject({
      code: 'GEARMAN_NO_SERVER',
      message: expect.stringMatching(/a \(cannot connect.*\); b \(cannot connect/),
    });
  });

  it('tells each job server once, however many connections it takes', async () => {
    const { worker, server } = workerOf(['a'], { push: false });
    const events: string[] = [];
    worker.on('connect', (name) => events.push(`connect ${name}`));
    worker.on('disconnect', (name) => events.push(`disconnect ${name}`));
    worker.register('fast', echo);
    worker.register('slow', echo, { concurrency: 1 });
    const starting = worker.start();
    const [one, other] = [await server.welcome(), await server.welcome()];
    await starting;
    expect(events).toEqual(['connect a']);
    server.isDown = true;
    one.peer.destroy();
    other.peer.destroy();
    await turnsUntil('it is lost', () => worker.connectedServers.length === 0);
    expect(events).toEqual(['connect a', 'disconnect a']);
  });
});
