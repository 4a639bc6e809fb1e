import { describe, expect, it } from '@jest/globals';
import { HISTORY_SERIES, MAX_FUNCTION_HISTORIES, MAX_RECENT } from 'nestjs-gearman/job-server';
import { SampleRing } from '../../../../lib/job-server/history/sample-ring.js';
import { startFront, submit } from '../../../support/front.js';

const sample = (value: number): number[] => HISTORY_SERIES.map(() => value);

describe('a ring of samples', () => {
  it('keeps the last ones, oldest first', () => {
    const ring = new SampleRing(3, 1);
    for (const value of [1, 2, 3, 4]) ring.add(sample(value));
    expect(ring.series()).toMatchObject({ waiting: [2, 3, 4], failed: [2, 3, 4] });
  });

  it('adds counts up over its interval, and keeps the last of everything else', () => {
    const ring = new SampleRing(3, 2);
    for (const value of [1, 2, 3, 4, 5]) ring.add(sample(value));
    expect(ring.series()).toMatchObject({ waiting: [2, 4], running: [2, 4], submitted: [3, 7], failed: [3, 7] });
  });
});

describe('history', () => {
  it('is kept only while somebody wants it', async () => {
    const { history } = (await startFront()).server;
    history.sample();
    expect([history.total('1s'), history.function('f', '1s')]).toEqual([undefined, undefined]);
    const [one, other] = [history.keep(), history.keep()];
    history.sample();
    one();
    one();
    expect(history.total('1s')!.series.waiting).toEqual([0]);
    other();
    expect(history.total('1s')).toBeUndefined();
  });

  it('tells what was of each function and of all together', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const end = server.history.keep();
    await submit(client, 'SUBMIT_JOB_BG f··');
    await submit(client, 'SUBMIT_JOB_EPOCH f··9999999999·');
    await submit(client, 'SUBMIT_JOB_BG g··');
    server.history.sample();
    worker.send('CAN_DO f', 'GRAB_JOB');
    const handle = (await worker.next()).split(' ')[1]!.split('·')[0]!;
    server.history.sample();
    worker.send(`WORK_COMPLETE ${handle}·`);
    await worker.untilEcho();
    server.history.sample();
    expect(server.history.function('f', '1s')).toEqual({
      interval: 1_000,
      series: {
        waiting: [1, 0, 0],
        delayed: [1, 1, 1],
        running: [0, 1, 0],
        workers: [0, 1, 1],
        oldestWaitingSeconds: [expect.any(Number), 0, 0],
        submitted: [0, 0, 0],
        completed: [0, 0, 1],
        failed: [0, 0, 0],
      },
    });
    expect(server.history.total('1s')!.series).toMatchObject({
      waiting: [2, 1, 1],
      submitted: [3, 0, 0],
      completed: [0, 0, 1],
    });
    end();
  });

  it('has no more than a thousand functions, and gives a busy one the place of the one that was idle longest', async () => {
    const { server, peer } = await startFront();
    const client = peer();
    const end = server.history.keep();
    for (let number = 0; number < MAX_FUNCTION_HISTORIES; number++) {
      const handle = await submit(client, `SUBMIT_JOB_BG f${number}··`);
      if (number < 2) server.engine.cancel(handle);
    }
    server.history.sample();
    await submit(client, 'SUBMIT_JOB_BG late··');
    server.history.sample();
    expect(server.history.function('late', '1s')).toBeDefined();
    expect(server.history.function('f0', '1s')).toBeUndefined();
    expect(server.history.function('f1', '1s')).toBeDefined();
    end();
  });

  it('takes no more memory however long it is kept', async () => {
    const { server, peer } = await startFront();
    const client = peer();
    for (let number = 0; number < 100; number++) await submit(client, `SUBMIT_JOB_BG f${number}··`);
    const end = server.history.keep();
    server.history.sample();
    const { arrayBuffers } = process.memoryUsage();
    for (let second = 0; second < 1_000; second++) server.history.sample();
    expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(1_000_000);
    expect(server.history.total('1s')!.series.waiting).toHaveLength(600);
    expect(server.history.function('f7', '1s')!.series.waiting).toHaveLength(120);
    end();
  });
});

describe('the jobs that ended lately', () => {
  it('have who ran them, and why they failed: the beginning of it', async () => {
    const { server, peer } = await startFront();
    const [client, worker] = [peer(), peer()];
    const end = server.history.keep();
    worker.send('SET_CLIENT_ID w1', 'CAN_DO f');
    const done = await submit(client, `SUBMIT_JOB_BG f·u·fine`);
    const failed = await submit(client, `SUBMIT_JOB_BG f··${'w'.repeat(2_000)}`);
    const cancelled = await submit(client, 'SUBMIT_JOB_BG f··x');
    worker.send('GRAB_JOB', 'GRAB_JOB');
    await worker.nextOnes(2);
    worker.send(`WORK_COMPLETE ${done}·`, `WORK_EXCEPTION ${failed}·${'e'.repeat(2_000)}`);
    await worker.untilEcho();
    server.engine.cancel(cancelled);
    const { recent } = server.history;
    expect(recent.list('completed')).toMatchObject([
      { handle: done, function: 'f', unique: 'u', worker: 'w1', took: expect.any(Number), workload: Buffer.alloc(0) },
    ]);
    expect(recent.list('failed')).toMatchObject([
      { handle: cancelled, outcome: 'cancelled', worker: undefined, took: undefined },
      { handle: failed, outcome: 'failed', workload: Buffer.alloc(512, 'w'), error: Buffer.alloc(1_024, 'e') },
    ]);
    end();
    expect(recent.list('failed')).toEqual([]);
  });

  it('are as many as are kept, and of those that complete 200 a second', async () => {
    const { server } = await startFront();
    const end = server.history.keep();
    const { engine, history } = server;
    for (let number = 0; number < MAX_RECENT.failed * 3; number++) {
      const job = engine.submit(
        { function: 'f', unique: '', workload: `${number}`, priority: 1, isBackground: true, runAt: 0 },
        undefined,
      );
      engine.cancel(engine.handleOf(job as never));
    }
    const failed = history.recent.list('failed');
    expect([failed.length, failed[0]!.workload.toString(), failed.at(-1)!.workload.toString()]).toEqual([
      1_000,
      '2999',
      '2000',
    ]);
    end();
  });
});
